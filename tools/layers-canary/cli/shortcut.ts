// the command line imports a protocol: protocols-only-from-server
export { other } from '../protocols/two/message.ts';
