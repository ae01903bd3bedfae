import { runCommandLine } from './command-line.ts';
import { processTerminal } from './terminal.ts';

// The executable: bin/lyrebird and npm start import it for its effect. Everything else is in command-line.ts.

// A reader that went away (`lyrebird sub t | head -1`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runCommandLine(process.argv.slice(2), processTerminal());
