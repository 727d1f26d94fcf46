import { existsSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { output } from './processes.ts';
import type { Measured } from './workload.ts';

/** A library of another language: where it is installed, and how it is run. */
export interface ForeignPeer {
  readonly name: string;
  /** Installs into `folder` unless that has been done, and measures. @throws Error with the reason why it is not available */
  readonly measure: (here: string, folder: string, samples: number, cpu: boolean) => Promise<readonly Measured[]>;
}

const TENSEAL = '0.3.18';

const clockOption = (cpu: boolean): readonly string[] => (cpu ? ['--cpu'] : []);
const measuredLines = (text: string): readonly Measured[] =>
  text
    .trim()
    .split('\n')
    .map((line): Measured => JSON.parse(line));

/** Microsoft SEAL for Python, in a virtual environment of its own. */
const tenseal: ForeignPeer = {
  name: `TenSEAL ${TENSEAL}`,
  async measure(here, folder, samples, cpu) {
    const python = join(folder, process.platform === 'win32' ? 'Scripts' : 'bin', 'python');
    if (!existsSync(python)) await output('python3', ['-m', 'venv', folder]);
    // Only from wheels: a build from source takes a compiler, CMake and minutes.
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:', `tenseal==${TENSEAL}`];
    await output(python, install);
    return measuredLines(await output(python, ['-B', join(here, 'tenseal_bench.py'), String(samples), ...clockOption(cpu)]));
  },
};

/** Go's CKKS, with a module cache of its own. */
const lattigo: ForeignPeer = {
  name: 'Lattigo 6.2.0',
  async measure(here, folder, samples, cpu) {
    await mkdir(folder, { recursive: true });
    for (const file of ['go.mod', 'go.sum', 'main.go']) await cp(join(here, 'lattigo', file), join(folder, file));
    const env = { GOMODCACHE: join(folder, 'modules'), GOCACHE: join(folder, 'cache'), GOFLAGS: '-modcacherw', GOTOOLCHAIN: 'local' };
    await output('go', ['mod', 'download'], { cwd: folder, env });
    const program = join(folder, process.platform === 'win32' ? 'peer.exe' : 'peer');
    await output('go', ['build', '-o', program, '.'], { cwd: folder, env });
    return measuredLines(await output(program, [String(samples), ...clockOption(cpu)]));
  },
};

export const FOREIGN_PEERS: Readonly<Record<'tenseal' | 'lattigo', ForeignPeer>> = { tenseal, lattigo };
