// configuration knows storage: config-is-a-leaf
import { disk } from '../storage/disk.ts';

export const config = disk;
