import { conformanceProperties } from './properties.js';
import { conformance } from './suite.js';

conformance('empty');
conformanceProperties('empty');
