/** Data sets behind the pretrained models, read from folders of the caller (Node only). */
export { banking77Split, DEV_FRACTION, parseQuestions, type Question, readQuestions, SPLIT_SEED } from './data/banking77.js';
export { developmentInputs, type LabelledInput } from './data/development.js';
export { ecgSplit, HEARTBEATS } from './data/ecg.js';
export { type ArraySplit, type LabelledArrays, mnistSplit } from './data/mnist.js';
export { type Review, readReviews } from './data/reviews.js';
export { parseSst2, SENTIMENTS, sst2Split } from './data/sst2.js';
export { type Split, stratifiedSplit } from './data/stratified_split.js';
export { DataError, UsageError } from './errors.js';
