// core reads the configuration: config-only-at-the-edge
export { config } from '../config/leaf.ts';
