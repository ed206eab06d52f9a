;; What the interpreter imports as its signal check before its memory is there: it calls whatever
;; lies in a table, at first nothing.
(module
  (import "host" "table" (table 1 funcref))
  (func (export "none") (result i32)
    (i32.const 0))
  (func (export "check") (result i32)
    (call_indirect (result i32) (i32.const 0))))
