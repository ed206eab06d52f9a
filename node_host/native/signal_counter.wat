;; The signal check that counts, and enters JavaScript once in a while. The interpreter comes by at
;; each end of its own count of loop turns (`clock`, which it has just set to 50 again), and from
;; inside of C functions: str() of each item of a list is one such call.
(module
  (import "host" "poll" (func $poll (result i32)))
  (import "host" "memory" (memory 0))
  (import "host" "clock" (global $clock i32))
  (import "host" "loop_check" (global $loop_check i32))
  (global $left (mut i32) (i32.const 1))
  (global $turns (mut i32) (i32.const 1))
  (global $dice (mut i32) (i32.const 1))

  (func (export "count") (result i32)
    (local $signal i32)
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
    (local.set $signal (call $poll))
    (call $wind)
    (local.get $signal))

  ;; So many loop turns until the next poll, from now on.
  (func (export "pass") (param $turns i32)
    (global.set $turns (local.get $turns))
    (call $wind))

  ;; Uneven, or it could fall on the same place of a loop for ever: if that is in a finalizer, where
  ;; nothing can be raised, an interrupt would never be.
  (func $wind
    (global.set $dice
      (i32.add (i32.mul (global.get $dice) (i32.const 1103515245)) (i32.const 12345)))
    (i32.store (global.get $clock)
      (i32.add
        (global.get $turns)
        (select
          (i32.and (i32.shr_u (global.get $dice) (i32.const 16)) (i32.const 3))
          (i32.const 0)
          (i32.ge_u (global.get $turns) (i32.const 4)))))))
