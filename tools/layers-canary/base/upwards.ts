// base imports core: layers-base-imports-downwards
export { ports } from '../core/ports.ts';
