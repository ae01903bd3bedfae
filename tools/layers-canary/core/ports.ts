// core reads the disk itself: core-and-storage-use-ports
import { readFileSync } from 'node:fs';

export const ports = readFileSync;
