;; The signal check that counts, and enters JavaScript once in a while. The interpreter comes by at
;; each end of its own count of loop turns (`clock`, which it has just set to 50 again), and from
;; inside of C functions: str() of each item of a list is one such call.
;;
;; JavaScript is entered when the millisecond is another one than at the last check, and not more
;; often: reading the time takes 20 nanoseconds, JavaScript several times that.
(module
  (import "host" "poll" (func $poll (param f64) (result i32)))  ;; ms since the check before
  (import "host" "now" (func $now (result f64)))                ;; whole milliseconds
  (import "host" "memory" (memory 0))
  (import "host" "clock" (global $clock i32))
  (import "host" "loop_check" (global $loop_check i32))
  (import "host" "fast_turns" (global $fast_turns i32))
  (global $left (mut i32) (i32.const 1))
  (global $turns (export "turns") (mut i32) (i32.const 1))
  (global $dice (mut i32) (i32.const 1))
  (global $last (mut f64) (f64.const 0))                        ;; the time at the last check
  (global $is_eager (mut i32) (i32.const 1))                    ;; enter whatever the time is

  (func (export "count") (result i32)
    (local $now f64) (local $gap f64) (local $signal i32)
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
    (local.set $now (call $now))
    (local.set $gap (f64.sub (local.get $now) (global.get $last)))
    (global.set $last (local.get $now))
    (if (i32.and (f64.eq (local.get $gap) (f64.const 0)) (i32.eqz (global.get $is_eager)))
      (then
        (call $hurry)
        (call $wind)
        (return (i32.const 0))))
    (global.set $is_eager (i32.const 0))
    (local.set $signal (call $poll (local.get $gap)))
    ;; What is due may fall into a finalizer, where nothing can be raised: then each check counts.
    (if (local.get $signal)
      (then (global.set $is_eager (i32.const 1))))
    (call $wind)
    (local.get $signal))

  ;; So many loop turns until the next check, which enters JavaScript.
  (func (export "pass") (param $turns i32)
    (global.set $turns (local.get $turns))
    (global.set $is_eager (i32.const 1))
    (call $wind))

  ;; Fast code may do twice as many turns before the next check, up to a bound.
  (func $hurry
    (if (i32.lt_u (global.get $turns) (global.get $fast_turns))
      (then (global.set $turns (i32.shl (global.get $turns) (i32.const 1))))))

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
