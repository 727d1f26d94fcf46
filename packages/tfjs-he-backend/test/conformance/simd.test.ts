import { conformance } from './suite.js';

conformance('simd');
