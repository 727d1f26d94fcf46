/** Models from elsewhere: checkpoints of Hugging Face, and their training (Node only). */
import 'tfjs-power-softmax';

export { type ConvertFolderOptions, convertFolder } from './convert/convert_folder.js';
export type { ConvertedFolder } from './convert/converted_folder.js';
export type { ModelForm } from './convert/form.js';
export type { ConversionReport, NonPolynomial } from './convert/report.js';
export { openTrainable, type Trainable } from './convert/trainable.js';
export { AssetError, ModelUnavailableError, UnknownModelError, UnknownTaskError, UsageError } from './errors.js';
