import { EXIT_FAILED, EXIT_OK, type Invocation } from './command.js';
import { localAddress } from './local-address.js';

const TIMEOUT_MS = 5_000;

/** `health`: what the product on this machine says of itself. */
export async function runHealth({ environment, options, stdout, stderr }: Invocation): Promise<number> {
  if (!environment.ROLES.includes('api')) {
    stdout.write('a worker without the role api listens on no port\n');
    return EXIT_OK;
  }
  const url = `${localAddress(environment)}/health/${options.live ? 'live' : 'ready'}`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    stdout.write(`${await answer.text()}\n`);
    return answer.ok ? EXIT_OK : EXIT_FAILED;
  } catch (error) {
    const { cause, message } = error as Error & { cause?: Error };
    stderr.write(`${url}: ${cause?.message || message}\n`);
    return EXIT_FAILED;
  }
}
