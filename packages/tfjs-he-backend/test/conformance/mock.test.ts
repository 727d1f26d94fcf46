import { conformanceProperties } from './properties.js';
import { conformance } from './suite.js';

conformance('mock');
conformanceProperties('mock');
