/** 1 when the build may use a fused multiply-add (relaxed SIMD), else 0; set by the compiler's `--use`. */
declare const FUSED: i32;
/** 1 in a build for tests, which stops where a value leaves the bounds derived in the comments, else 0. */
declare const CHECKED: i32;
