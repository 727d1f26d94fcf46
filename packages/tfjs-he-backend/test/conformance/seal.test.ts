import { conformance } from './suite.js';

conformance('seal');
