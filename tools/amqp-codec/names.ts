import type { ClassDefinition, Method } from './definition.ts';

const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** `queue`, `declareOk` -> `QueueDeclareOk`. */
export const typeName = (owner: ClassDefinition, method: Method): string =>
  capital(owner.name) + capital(method.name);

/** `queueDeclareOk` -> `QUEUE_DECLARE_OK`. */
export const constantCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

export const constantName = (owner: ClassDefinition, method: Method): string =>
  constantCase(owner.name + capital(method.name));

/** As RabbitMQ and its documentation write it: `queue.declare-ok`. */
export const wireName = (owner: ClassDefinition, method: Method): string =>
  `${owner.name}.${method.name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

export const wireId = (owner: ClassDefinition, method: Method): string =>
  `0x${((owner.id << 16) | method.id).toString(16).padStart(6, '0')}`;
