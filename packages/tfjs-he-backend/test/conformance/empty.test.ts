import { conformance } from './suite.js';

conformance('empty');
