import { CONNECTION_SCENARIOS } from './scenarios/connection.ts';
import { CONSUMING_SCENARIOS } from './scenarios/consuming.ts';
import { EXCHANGE_SCENARIOS } from './scenarios/exchanges.ts';
import { FEATURE_SCENARIOS } from './scenarios/features.ts';
import { MESSAGE_SCENARIOS } from './scenarios/messages.ts';
import { QUEUE_SCENARIOS } from './scenarios/queues.ts';
import type { Scenario } from './session.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...CONNECTION_SCENARIOS,
  ...EXCHANGE_SCENARIOS,
  ...QUEUE_SCENARIOS,
  ...MESSAGE_SCENARIOS,
  ...CONSUMING_SCENARIOS,
  ...FEATURE_SCENARIOS,
];
