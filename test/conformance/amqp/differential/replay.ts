import type { Address } from './client.ts';
import { Session, type Scenario } from './session.ts';
import { transcriptOf, type Transcript } from './transcript.ts';

/** Runs one scenario; what it waited for in vain stands in the notes. */
export async function replay(address: Address, scenario: Scenario): Promise<Transcript> {
  const session = new Session(address);
  try {
    await scenario.run(session);
  } catch (error) {
    session.note(`gave up: ${error instanceof Error ? error.message : String(error)}`);
  }
  const transcript = transcriptOf(session);
  await session.end();
  return transcript;
}
