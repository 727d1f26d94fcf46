import { ENGINES } from '../protocol/engine.js';
import { DEFAULT_MODEL } from './options.js';
import { DEFAULT_PORT } from './server_arguments.js';

export const HELP = `Classifies a text that the server never sees: a question to a bank, unless --model says otherwise.

  npm start -- "My card was stolen, please block it"      start a server, ask it, stop it
  npm start -- ask --url http://HOST:PORT "QUESTION"      ask a server that runs already
  npm start -- server                                     run only the server

Asking
  --engine NAME        ${ENGINES.join(' | ')} (default simd, or seal where there is no
                       WebAssembly SIMD; seal computes the same, slower;
                       mock imitates the arithmetic and keeps nothing secret).
                       With --url, a server that runs another one is not asked
  --threads N          of engine simd at the server that is started (default 2,
                       or 1 on a machine with one core)
  --model NAME         a model of he-models that classifies text (default ${DEFAULT_MODEL})
  --json               one JSON object as the last line of stdout
  --repeat N           ask N times with the same keys: the first is cold, the others are warm (default 1)
  --timeout SECONDS    give up after that long, everything included (default 600)
  --port N             port of the server that is started (default: a free one)
  --url URL            ask this server instead of starting one
  --verbose            show what the started server writes to stderr

Server
  --host HOST          default 127.0.0.1, this machine only
  --port N             default ${DEFAULT_PORT}, 0 for a free one
  --max-sessions N     clients whose keys are held at once (default 4)
  --session-minutes N  forget keys unused for this long (default 15)
  --engine NAME, --threads N and --model NAME as above
`;
