import './setup.js';
import '@tensorflow/tfjs-core/dist/tests.js';

export { decryptions } from './encrypting_backend.js';
export { givenInTheClear } from './setup.js';
