// a codec imports more than base: codec-imports-base-only
export { disk } from '../../../storage/disk.ts';
