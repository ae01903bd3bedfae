import type { Frontend } from '../../../net/protocol.ts';
import { managementOf, type ServerFacts } from '../management/management-of.ts';
import { parseArguments } from './arguments.ts';
import { runCtl, type CtlResult } from './ctl.ts';
import { CTL_EXIT, CtlError, type AppControl } from './verb.ts';

/** rabbitmqctl for the broker of an AMQP front-end. */
export function rabbitmqctl(
  frontend: Frontend,
  facts: ServerFacts,
  control: AppControl | null,
): (args: readonly string[], input: string | null) => Promise<CtlResult> {
  const management = managementOf(frontend, facts);
  return (args, input) => runCtl({ management, control }, args, input);
}

/** While the broker is stopped it can be started, and asked whether it is there. */
export async function rabbitmqctlWhileStopped(
  control: AppControl,
  args: readonly string[],
): Promise<CtlResult> {
  try {
    const { verb, options } = parseArguments(args);
    const say = (text: string): CtlResult => ({
      exitCode: CTL_EXIT.ok,
      stdout: options.quiet ? '' : `${text}\n`,
      stderr: '',
    });
    switch (verb) {
      case 'start_app':
        await control.start();
        return say('Starting node ...');
      case 'stop_app':
        return say('Stopping rabbit application ...');
      case 'ping':
        return say('Ping succeeded');
      case 'status':
        return say('The rabbit application is stopped');
      default:
        throw new CtlError(
          CTL_EXIT.unavailable,
          "this command requires the 'rabbit' app to be running on the target node. Start it with 'rabbitmqctl start_app'.",
        );
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const exitCode = error instanceof CtlError ? error.exitCode : CTL_EXIT.software;
    return { exitCode, stdout: '', stderr: `Error:\n${message}\n` };
  }
}
