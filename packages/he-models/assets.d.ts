/** A module that the build makes from the files of one shipped model: file name to content in base64. */
declare const files: Readonly<Record<string, string>>;
export default files;
