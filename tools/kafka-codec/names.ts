import type { Definition, Field, Message, Struct } from './definition.ts';

/** `DescribeTopicPartitions` -> `describe-topic-partitions`. */
export const kebabCase = (name: string): string =>
  name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();

/** `DescribeTopicPartitions` -> `DESCRIBE_TOPIC_PARTITIONS`. */
export const constantCase = (name: string): string =>
  kebabCase(name).replaceAll('-', '_').toUpperCase();

/** Name of the generated file of a definition. */
export const generatedFile = (definition: Definition): string => `${definition.id}.ts`;

/** Name of the interface of a struct; the root struct bears the message's name. */
export const interfaceName = (message: Message, struct: Struct): string =>
  message.name + struct.name;

/** TypeScript type of one value (or element) of a field, without null. */
export function elementType(message: Message, field: Field): string {
  if (typeof field.type !== 'string') return interfaceName(message, field.type);
  switch (field.type) {
    case 'bool':
      return 'boolean';
    case 'string':
      return 'string';
    case 'uuid':
    case 'bytes':
      return 'Buffer';
    case 'records':
      return message.role === 'request' ? 'Buffer' : 'RecordsOut';
    default:
      return 'number';
  }
}
