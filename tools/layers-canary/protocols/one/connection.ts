// a protocol uses another one and storage: protocols-stand-alone, protocols-not-storage
import { disk } from '../../storage/disk.ts';
import { other } from '../two/message.ts';

export const connection = [disk, other];
