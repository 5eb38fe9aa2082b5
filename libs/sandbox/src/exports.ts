/** A JSValue: NaN-boxed in 64 bits, the tag in the upper half. */
export type Value = bigint;

/** What is used of the module's exports: QuickJS's own C API. */
export interface EngineExports {
  readonly memory: WebAssembly.Memory;
  /** The marks of what was written; code inside cannot reach it. */
  readonly vault: WebAssembly.Memory;
  readonly __stack_pointer: WebAssembly.Global;
  readonly pages: WebAssembly.Global;
  readonly fuel: WebAssembly.Global;
  _initialize(): void;
  qjs_init2(intrinsics: number): number;
  qjs_get_runtime_ptr(): number;
  qjs_get_context_ptr(): number;
  qjs_set_max_stack_size(bytes: number): void;
  malloc(bytes: number): number;
  free(pointer: number): void;
  JS_NewStringLen(context: number, pointer: number, bytes: number): Value;
  JS_ToCStringLen2(context: number, lengthPointer: number, value: Value, cesu8: number): number;
  JS_FreeCString(context: number, pointer: number): void;
  JS_FreeValue(context: number, value: Value): void;
  JS_Call(context: number, callee: Value, self: Value, argc: number, argv: number): Value;
  JS_Eval(context: number, code: number, bytes: number, fileName: number, flags: number): Value;
  JS_ExecutePendingJob(runtime: number, contextPointer: number): number;
  JS_GetException(context: number): Value;
  JS_GetPropertyStr(context: number, object: Value, name: number): Value;
  JS_GetGlobalObject(context: number): Value;
  JS_RunGC(runtime: number): void;
}

/** The module's other exports, hundreds, are dropped at load: each costs an object in every instance. */
export const EXPORTS = [
  'memory', '__stack_pointer', '_initialize', 'qjs_init2', 'qjs_get_runtime_ptr', 'qjs_get_context_ptr', 'qjs_set_max_stack_size', 'malloc', 'free', 'JS_NewStringLen', 'JS_ToCStringLen2',
  'JS_FreeCString', 'JS_FreeValue', 'JS_Call', 'JS_Eval', 'JS_ExecutePendingJob', 'JS_GetException', 'JS_GetPropertyStr', 'JS_GetGlobalObject', 'JS_RunGC',
] as const satisfies readonly (keyof EngineExports)[];
