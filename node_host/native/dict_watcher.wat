;; The callback of a PyDict_AddWatcher on the namespace: notes which names are stored, how often,
;; and by which line of the user's code, until someone takes what was noted.
;;
;; It is called in the middle of a store, so it runs no Python, raises nothing and leaves a pending
;; exception alone; of keys it holds exact str only, whose end runs no code either. What it notes
;; lies in the interpreter's memory, read there by monitor/watchglass_monitor/wasm_watcher.py,
;; which has the same layout:
;;
;;   state   namespace, type_of_str, user_file, filename_offset, lead, limit, watcher, written,
;;           probe (a dict that only proves that we are called), heard,
;;           running_file (of the execution that runs)                       44 bytes, 4 unused
;;           two windows: `written` is 0 or 1, the other one is to be read
;;   window  events, names, flags                                                      12 bytes, 4 unused
;;           keys    u32 x 4096   PyObject*, one reference held
;;           counts  u32 x 4096   stores of it
;;           lines   u32 x 4096   of its last store, 0 when not known
;;           slots   u16 x 8192   hash of the key's address -> index + 1 of a key, 0 when free
(module
  (import "host" "memory" (memory 0))
  (import "host" "Py_IncRef" (func $Py_IncRef (param i32)))
  (import "host" "Py_DecRef" (func $Py_DecRef (param i32)))
  (import "host" "PyDict_Unwatch" (func $PyDict_Unwatch (param i32 i32) (result i32)))
  (import "host" "PyEval_GetFrame" (func $PyEval_GetFrame (result i32)))
  (import "host" "PyFrame_GetBack" (func $PyFrame_GetBack (param i32) (result i32)))
  (import "host" "PyFrame_GetCode" (func $PyFrame_GetCode (param i32) (result i32)))
  (import "host" "PyFrame_GetLineNumber" (func $PyFrame_GetLineNumber (param i32) (result i32)))
  (import "host" "PyUnicode_Tailmatch"
    (func $PyUnicode_Tailmatch (param i32 i32 i32 i32 i32) (result i32)))
  (import "host" "come_by" (func $come_by))
  (import "host" "calloc" (func $calloc (param i32 i32) (result i32)))

  (global $state (export "state") (mut i32) (i32.const 0))  ;; its address; 0 when memory ran out
  (global $written (mut i32) (i32.const 0))                 ;; of the window that is being written
  (global $max_names i32 (i32.const 4096))
  (global $max_frames i32 (i32.const 100))
  (global $rescan i32 (i32.const 1))                        ;; a flag: any name may have changed
  (global $storm i32 (i32.const 2))                         ;; a flag: the dict is watched no more

  (func $start
    (global.set $state (call $calloc (i32.const 1) (i32.const 131152)))
    (global.set $written (call $window (i32.const 0))))
  (start $start)

  ;; int callback(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *new_value)
  (func (export "notice")
    (param $event i32) (param $dict i32) (param $key i32) (param $value i32) (result i32)
    (local $window i32) (local $events i32)
    (if (i32.ne (local.get $dict) (i32.load (global.get $state)))
      (then
        (if (i32.eq (local.get $dict) (i32.load offset=32 (global.get $state)))
          (then (i32.store offset=36 (global.get $state) (i32.const 1))))
        (return (i32.const 0))))
    (local.set $window (global.get $written))
    (local.set $events (i32.add (i32.load (local.get $window)) (i32.const 1)))
    (i32.store (local.get $window) (local.get $events))
    (if (call $is_name (local.get $event) (local.get $key))
      (then
        (if (i32.ge_u (local.get $events) (i32.load offset=20 (global.get $state)))
          (then (call $give_up (local.get $window)))
          (else (call $note (local.get $window) (local.get $key) (call $line (local.get $events))))))
      (else (call $flag (local.get $window) (global.get $rescan))))
    ;; The first stores, then each 64th: code with slow turns comes by at the next of them.
    (if (i32.or
          (i32.le_u (local.get $events) (i32.load offset=16 (global.get $state)))
          (i32.eqz (i32.and (local.get $events) (i32.const 63))))
      (then (call $come_by)))
    (i32.const 0))

  ;; Whether this is about one name, added, modified or deleted; else the dict was cleared, or
  ;; filled at one go, or the key only equals a str.
  (func $is_name (param $event i32) (param $key i32) (result i32)
    (if (i32.gt_u (local.get $event) (i32.const 2))
      (then (return (i32.const 0))))
    (i32.eq (i32.load offset=4 (local.get $key)) (i32.load offset=4 (global.get $state))))

  (func $flag (param $window i32) (param $flags i32)
    (i32.store offset=8 (local.get $window)
      (i32.or (i32.load offset=8 (local.get $window)) (local.get $flags))))

  (func $give_up (param $window i32)
    (call $flag (local.get $window) (i32.or (global.get $rescan) (global.get $storm)))
    (drop (call $PyDict_Unwatch
      (i32.load offset=24 (global.get $state)) (i32.load (global.get $state)))))

  ;; Counts a store of a name, which is put into the table when it is not there.
  (func $note (param $window i32) (param $key i32) (param $line i32)
    (local $slot i32) (local $index i32) (local $entry i32)
    (local.set $slot (i32.shr_u
      (i32.mul (local.get $key) (i32.const 0x9E3779B1)) (i32.const 19)))
    (loop $next
      (local.set $entry (i32.add (i32.add (local.get $window) (i32.const 49168))
        (i32.shl (local.get $slot) (i32.const 1))))
      (local.set $index (i32.load16_u (local.get $entry)))
      (if (i32.eqz (local.get $index))
        (then
          (call $add (local.get $window) (local.get $entry) (local.get $key) (local.get $line))
          (return)))
      (local.set $entry (i32.add (local.get $window) (i32.shl (local.get $index) (i32.const 2))))
      (if (i32.eq (i32.load offset=12 (local.get $entry)) (local.get $key))
        (then
          (i32.store offset=16396 (local.get $entry)
            (i32.add (i32.load offset=16396 (local.get $entry)) (i32.const 1)))
          (i32.store offset=32780 (local.get $entry) (local.get $line))
          (return)))
      (local.set $slot (i32.and (i32.add (local.get $slot) (i32.const 1)) (i32.const 8191)))
      (br $next)))

  (func $add (param $window i32) (param $slot i32) (param $key i32) (param $line i32)
    (local $names i32) (local $entry i32)
    (local.set $names (i32.add (i32.load offset=4 (local.get $window)) (i32.const 1)))
    (if (i32.gt_u (local.get $names) (global.get $max_names))
      (then
        (call $flag (local.get $window) (global.get $rescan))
        (return)))
    (call $Py_IncRef (local.get $key))
    (i32.store offset=4 (local.get $window) (local.get $names))
    (i32.store16 (local.get $slot) (local.get $names))
    (local.set $entry (i32.add (local.get $window) (i32.shl (local.get $names) (i32.const 2))))
    (i32.store offset=12 (local.get $entry) (local.get $key))
    (i32.store offset=16396 (local.get $entry) (i32.const 1))
    (i32.store offset=32780 (local.get $entry) (local.get $line)))

  ;; The line of the user's code that is running, for the first stores of a window; else 0. As
  ;; watcher.py's user_line: of the execution that runs, or of the task that none of its lines called.
  (func $line (param $events i32) (result i32)
    (local $frame i32) (local $left i32) (local $line i32) (local $file i32) (local $known i32)
    (if (i32.gt_u (local.get $events) (i32.load offset=16 (global.get $state)))
      (then (return (i32.const 0))))
    (local.set $frame (call $PyEval_GetFrame))
    (if (local.get $frame)
      (then (call $Py_IncRef (local.get $frame))))
    (local.set $left (global.get $max_frames))
    (block $end
      (loop $next
        (br_if $end (i32.eqz (local.get $frame)))
        (br_if $end (i32.eqz (local.get $left)))
        (local.set $file (call $file (local.get $frame)))
        (if (call $is_user (local.get $file))
          (then
            (if (i32.ne (local.get $file) (local.get $known))
              (then (local.set $line (call $PyFrame_GetLineNumber (local.get $frame)))))
            (br_if $end
              (i32.eq (local.get $file) (i32.load offset=40 (global.get $state))))
            (local.set $known (local.get $file))))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (local.set $frame (call $caller (local.get $frame)))
        (br $next)))
    (if (local.get $frame)
      (then (call $Py_DecRef (local.get $frame))))
    (select (local.get $line) (i32.const 0) (i32.gt_s (local.get $line) (i32.const 0))))

  ;; The name of the file of a frame's code; each execution's is one object.
  (func $file (param $frame i32) (result i32)
    (local $code i32)
    (local.set $code (call $PyFrame_GetCode (local.get $frame)))
    (call $Py_DecRef (local.get $code))  ;; the frame holds it
    (i32.load (i32.add (local.get $code) (i32.load offset=12 (global.get $state)))))

  ;; Whether a file is one of the user's, by the beginning of its name.
  (func $is_user (param $file i32) (result i32)
    (i32.eq (i32.const 1)
      (call $PyUnicode_Tailmatch
        (local.get $file) (i32.load offset=8 (global.get $state))
        (i32.const 0) (i32.const 0x7fffffff) (i32.const -1))))

  ;; The frame that called this one, whose reference is given up.
  (func $caller (param $frame i32) (result i32)
    (local $back i32)
    (local.set $back (call $PyFrame_GetBack (local.get $frame)))
    (call $Py_DecRef (local.get $frame))
    (local.get $back))

  ;; The other window is written from here on; what was noted is in this one, 0 or 1.
  (func (export "take") (result i32)
    (local $taken i32)
    (local.set $taken (i32.load offset=28 (global.get $state)))
    (i32.store offset=28 (global.get $state) (i32.xor (local.get $taken) (i32.const 1)))
    (global.set $written (call $window (i32.xor (local.get $taken) (i32.const 1))))
    (call $empty (global.get $written))
    (local.get $taken))

  ;; Gives back what was noted, in both windows.
  (func (export "forget")
    (call $empty (call $window (i32.const 0)))
    (call $empty (call $window (i32.const 1))))

  (func $window (param $index i32) (result i32)
    (i32.add
      (i32.add (global.get $state) (i32.const 48))
      (i32.mul (local.get $index) (i32.const 65552))))

  ;; Stores before this moment were not seen.
  (func (export "suspect")
    (call $flag (global.get $written) (global.get $rescan)))

  (func $empty (param $window i32)
    (local $at i32) (local $end i32)
    (local.set $at (i32.add (local.get $window) (i32.const 16)))
    (local.set $end (i32.add (local.get $at)
      (i32.shl (i32.load offset=4 (local.get $window)) (i32.const 2))))
    (memory.fill (local.get $window) (i32.const 0) (i32.const 16))
    (memory.fill (i32.add (local.get $window) (i32.const 49168)) (i32.const 0) (i32.const 16384))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (call $Py_DecRef (i32.load (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br $next)))))
