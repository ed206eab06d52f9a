;; A CPython extension module as small as one can be: `import tiny` and nothing in it.
;; Assembled by side_module.mjs; wheels.py makes a shared library of it.
(module
  (import "env" "memory" (memory 0))
  (import "env" "__memory_base" (global $base i32))
  (import "env" "PyModule_Create2" (func $create (param i32 i32) (result i32)))
  ;; PyModuleDef: one reference; m_name (at 20) is relocated below, m_size (at 28) is -1.
  (data (global.get $base) "\01\00\00\00")
  (func (export "__wasm_apply_data_relocs")
    (i32.store8 offset=64 (global.get $base) (i32.const 116)) ;; "tiny"
    (i32.store8 offset=65 (global.get $base) (i32.const 105))
    (i32.store8 offset=66 (global.get $base) (i32.const 110))
    (i32.store8 offset=67 (global.get $base) (i32.const 121))
    (i32.store offset=20 (global.get $base) (i32.add (global.get $base) (i32.const 64)))
    (i32.store offset=28 (global.get $base) (i32.const -1)))
  (func (export "PyInit_tiny") (result i32)
    (call $create (global.get $base) (i32.const 1013))))
