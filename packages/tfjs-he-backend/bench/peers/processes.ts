import { spawn } from 'node:child_process';

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Standard output of a program that ends well.
 *
 * @throws Error with the last line that it wrote to standard error, or that it cannot be started
 */
export function output(program: string, args: readonly string[], { cwd, env }: ProcessOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, error] = ['', ''];
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      error += chunk;
    });
    child.once('error', (reason) => reject(new Error(`${program} cannot be started: ${reason.message}`)));
    child.once('close', (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${[program, ...args.slice(0, 3)].join(' ')}: ${error.trim().split('\n').at(-1) ?? `exit code ${code}`}`));
    });
  });
}
