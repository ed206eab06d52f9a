;; The signal check that counts, and enters JavaScript once in a while. The interpreter comes by at
;; each end of its own count of loop turns (`clock`, which it has just set to 50 again), and from
;; inside of C functions: str() of each item of a list is one such call.
(module
  (import "host" "poll" (func $poll (result i32)))
  (import "host" "memory" (memory 0))
  (import "host" "clock" (global $clock i32))
  (import "host" "loop_check" (global $loop_check i32))
  (global $left (mut i32) (i32.const 1))

  (func (export "count") (result i32)
    (global.set $left
      (i32.sub
        (global.get $left)
        (select
          (global.get $loop_check)
          (i32.const 1)
          (i32.eq (i32.load (global.get $clock)) (i32.const 50)))))
    (if (i32.gt_s (global.get $left) (i32.const 0))
      (then (return (i32.const 0))))
    (global.set $left (global.get $loop_check))
    (call $poll)))
