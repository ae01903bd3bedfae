/**
 * The one registry of error codes. A code is never reused for another meaning; each has a line in
 * docs/reference/errors.md (the tidy test compares both ways). LB1xxx start and configuration,
 * LB2xxx storage, LB3xxx core, LB4xxx network, LB5xxx protocols, LB6xxx command line and admin.
 */
export const ERROR_CODES = {
  LB1001: 'configuration is invalid',
  LB1002: 'listener address is taken',
  LB1003: 'data folder is held by another broker',
  LB1004: 'listener outside loopback without authentication',
  LB1005: 'no such listener',
  LB2001: 'storage format is too new',
  LB2002: 'data is damaged',
  LB2003: 'disk write or sync failed',
  LB2004: 'disk is full',
  LB2005: 'engine is closed',
  LB2006: 'memory storage is full',
  LB2007: 'metadata lease is over',
  LB3001: 'broker is closed',
  LB3002: 'topic operation failed',
  LB3003: 'waited in vain',
  LB3004: 'group operation failed',
  LB3005: 'change was overtaken by others',
  LB4001: 'TLS certificate or key cannot be used',
  LB4002: 'listener address cannot be bound',
  LB5001: 'Kafka message is malformed',
  LB5002: 'AMQP 0-9-1 frame is malformed',
  LB5003: 'AMQP 0-9-1 client asked for what cannot be done',
  LB6001: 'client cannot reach a broker',
  LB6002: 'broker did not answer a client in time',
  LB6003: 'broker refused a client',
} as const;
