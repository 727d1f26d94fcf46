import { conformance } from './suite.js';

conformance('mock');
