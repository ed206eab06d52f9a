(; A SpacetimeDB module of which all is said in its data segment: this is the code, once for all modules.

   It needs the functions of ABI 10.0 only, so that one file runs on every server from 1.2.0 on. Python writes the
   memory's size and the data segment (assembly.py, whose dataclasses have these layouts):

   header, at 1024     +0 description, +4 its length, +8 reducers, +12 how many, +16 tables, +20 how many,
                       +24 where free memory begins, +28 texts of errors, +32..64 the owner's identity
   table, 32 bytes     +0 name, +4 its length, +8 name of the index, +12 its length, +16 the table's number, once known,
                       +20 the index's number, once known, +24 bytes of the key: -1 one with its own length, 0 unknown
   reducer, 16 bytes   +0 operation, +4 table, +8 1 for the owner only, and from bit 16 on: 0, or one more than the table
                       whose keys are the identities that may call it, +12 text to fail with: its length, and bytes
   texts of errors     32 times the address and the length of one; 0 is for all without one of its own

   Scratch memory: 16 a length that the host reads and writes, 20 a number that it writes, 24 a bound, 28 the table of the
   last operation. ;)
(module
  (import "spacetime_10.0" "table_id_from_name" (func $table_id_from_name (param i32 i32 i32) (result i32)))
  (import "spacetime_10.0" "index_id_from_name" (func $index_id_from_name (param i32 i32 i32) (result i32)))
  (import "spacetime_10.0" "datastore_insert_bsatn" (func $ds_insert (param i32 i32 i32) (result i32)))
  (import "spacetime_10.0" "datastore_update_bsatn" (func $ds_update (param i32 i32 i32 i32) (result i32)))
  (import "spacetime_10.0" "datastore_delete_all_by_eq_bsatn" (func $ds_delete_eq (param i32 i32 i32 i32) (result i32)))
  (import "spacetime_10.0" "datastore_delete_by_index_scan_range_bsatn" (func $ds_delete_range (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "spacetime_10.0" "datastore_index_scan_range_bsatn" (func $ds_scan_range (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "spacetime_10.0" "row_iter_bsatn_advance" (func $iter_advance (param i32 i32 i32) (result i32)))
  (import "spacetime_10.0" "row_iter_bsatn_close" (func $iter_close (param i32) (result i32)))
  (import "spacetime_10.0" "bytes_source_read" (func $src_read (param i32 i32 i32) (result i32)))
  (import "spacetime_10.0" "bytes_sink_write" (func $sink_write (param i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  ;; All of a text, however little of it the sink takes at once.
  (func $sink_all (param $sink i32) (param $p i32) (param $n i32)
    (block $done (loop $l
      (br_if $done (i32.eqz (local.get $n)))
      (i32.store (i32.const 16) (local.get $n))
      (br_if $done (call $sink_write (local.get $sink) (local.get $p) (i32.const 16)))
      (local.set $p (i32.add (local.get $p) (i32.load (i32.const 16))))
      (local.set $n (i32.sub (local.get $n) (i32.load (i32.const 16))))
      (br $l))))

  (func (export "__describe_module__") (param $sink i32)
    (call $sink_all (local.get $sink) (i32.load (i32.const 1024)) (i32.load (i32.const 1028))))

  ;; Memory up to this address.
  (func $reserve (param $end i32)
    (local $need i32)
    (local.set $need (i32.sub (i32.shr_u (i32.add (local.get $end) (i32.const 65535)) (i32.const 16)) (memory.size)))
    (if (i32.gt_s (local.get $need) (i32.const 0))
      (then (if (i32.eq (memory.grow (local.get $need)) (i32.const -1)) (then unreachable)))))
  ;; The whole source, written from $at on; its length.
  (func $read_args (param $src i32) (param $at i32) (result i32)
    (local $len i32) (local $cap i32) (local $r i32)
    (if (i32.eqz (local.get $src)) (then (return (i32.const 0))))
    (local.set $cap (i32.const 16384))
    (loop $l
      (call $reserve (i32.add (i32.add (local.get $at) (local.get $len)) (local.get $cap)))
      (i32.store (i32.const 16) (local.get $cap))
      (local.set $r (call $src_read (local.get $src) (i32.add (local.get $at) (local.get $len)) (i32.const 16)))
      (if (i32.gt_s (local.get $r) (i32.const 0)) (then unreachable))
      (local.set $len (i32.add (local.get $len) (i32.load (i32.const 16))))
      (if (i32.lt_u (local.get $cap) (i32.const 4194304)) (then (local.set $cap (i32.shl (local.get $cap) (i32.const 1)))))
      (br_if $l (i32.eqz (local.get $r))))
    (local.get $len))
  (func $table (param $t i32) (result i32)
    (if (i32.ge_u (local.get $t) (i32.load (i32.const 1044))) (then unreachable))
    (i32.add (i32.load (i32.const 1040)) (i32.shl (local.get $t) (i32.const 5))))
  ;; The numbers of a table and of its index are asked for once in the life of an instance.
  (func $table_id (param $d i32) (result i32)
    (if (i32.eqz (i32.load offset=16 (local.get $d)))
      (then (if (call $table_id_from_name (i32.load (local.get $d)) (i32.load offset=4 (local.get $d)) (i32.add (local.get $d) (i32.const 16)))
              (then unreachable))))
    (i32.load offset=16 (local.get $d)))
  (func $index_id (param $d i32) (result i32)
    (if (i32.eqz (i32.load offset=20 (local.get $d)))
      (then (if (call $index_id_from_name (i32.load offset=8 (local.get $d)) (i32.load offset=12 (local.get $d)) (i32.add (local.get $d) (i32.const 20)))
              (then unreachable))))
    (i32.load offset=20 (local.get $d)))
  ;; One operation on a table with $n bytes at $p; the byte before $p may be written. The error, or 0.
  (func $op (param $op i32) (param $t i32) (param $p i32) (param $n i32) (result i32)
    (local $d i32) (local $e i32)
    (local.set $d (call $table (local.get $t)))
    (i32.store (i32.const 28) (local.get $d))
    (i32.store (i32.const 16) (local.get $n))
    (block $noop (block $clear (block $upsert (block $update (block $delpk (block $deleq (block $insert
      (br_table $noop $insert $deleq $delpk $update $upsert $clear $noop (local.get $op)))
      ;; 1 insert
      (return (call $ds_insert (call $table_id (local.get $d)) (local.get $p) (i32.const 16))))
      ;; 2 delete rows that are equal to one of many
      (return (call $ds_delete_eq (call $table_id (local.get $d)) (local.get $p) (local.get $n) (i32.const 20))))
      ;; 3 delete by key: the bound "up to and with" is a zero and the key
      (i32.store8 (i32.sub (local.get $p) (i32.const 1)) (i32.const 0))
      (return (call $ds_delete_range (call $index_id (local.get $d)) (i32.const 0) (i32.const 0) (i32.const 0)
         (i32.sub (local.get $p) (i32.const 1)) (i32.add (local.get $n) (i32.const 1))
         (i32.sub (local.get $p) (i32.const 1)) (i32.add (local.get $n) (i32.const 1)) (i32.const 20))))
      ;; 4 update
      (return (call $ds_update (call $table_id (local.get $d)) (call $index_id (local.get $d)) (local.get $p) (i32.const 16))))
      ;; 5 upsert
      (local.set $e (i32.load offset=24 (local.get $d)))
      (if (local.get $e)
        (then ;; delete, then insert: an error, also one that is dealt with, costs a line in the server's log
          (if (i32.eq (local.get $e) (i32.const -1))
            (then (local.set $e (i32.add (i32.const 4) (i32.load align=1 (local.get $p))))))
          (i32.store8 (i32.sub (local.get $p) (i32.const 1)) (i32.const 0))
          (local.set $e (call $ds_delete_range (call $index_id (local.get $d)) (i32.const 0) (i32.const 0) (i32.const 0)
             (i32.sub (local.get $p) (i32.const 1)) (i32.add (local.get $e) (i32.const 1))
             (i32.sub (local.get $p) (i32.const 1)) (i32.add (local.get $e) (i32.const 1)) (i32.const 20)))
          (if (local.get $e) (then (return (local.get $e))))
          (return (call $ds_insert (call $table_id (local.get $d)) (local.get $p) (i32.const 16)))))
      (local.set $e (call $ds_insert (call $table_id (local.get $d)) (local.get $p) (i32.const 16)))
      (if (i32.ne (local.get $e) (i32.const 12)) (then (return (local.get $e))))
      (i32.store (i32.const 16) (local.get $n))
      (return (call $ds_update (call $table_id (local.get $d)) (call $index_id (local.get $d)) (local.get $p) (i32.const 16))))
      ;; 6 clear: from the bound "none" to the bound "none"
      (i32.store8 (i32.const 24) (i32.const 2))
      (return (call $ds_delete_range (call $index_id (local.get $d)) (i32.const 0) (i32.const 0) (i32.const 0)
         (i32.const 24) (i32.const 1) (i32.const 24) (i32.const 1) (i32.const 20))))
    (i32.const 0))
  ;; Whether a table has a row whose key are the 32 bytes at $p; the byte before $p, and some after them, may be written.
  (func $has (param $t i32) (param $p i32) (result i32)
    (local $d i32) (local $r i32)
    (local.set $d (call $table (local.get $t)))
    (i32.store8 (i32.sub (local.get $p) (i32.const 1)) (i32.const 0))
    (if (call $ds_scan_range (call $index_id (local.get $d)) (i32.const 0) (i32.const 0) (i32.const 0)
         (i32.sub (local.get $p) (i32.const 1)) (i32.const 33) (i32.sub (local.get $p) (i32.const 1)) (i32.const 33) (i32.const 20))
      (then unreachable))
    (i32.store (i32.const 16) (i32.const 4096))
    (local.set $r (call $iter_advance (i32.load (i32.const 20)) (i32.add (local.get $p) (i32.const 32)) (i32.const 16)))
    ;; An iterator that is exhausted is closed.
    (if (i32.ge_s (local.get $r) (i32.const 0)) (then (drop (call $iter_close (i32.load (i32.const 20))))))
    ;; 11: there is a row, and it is larger than the room for it
    (i32.or (i32.eq (local.get $r) (i32.const 11)) (i32.ne (i32.load (i32.const 16)) (i32.const 0))))
  ;; Operations one after another: u8 which, u16 table, u32 length, and as many bytes. The first error ends it.
  (func $batch (param $p i32) (param $n i32) (result i32)
    (local $end i32) (local $len i32) (local $e i32)
    (local.set $end (i32.add (local.get $p) (local.get $n)))
    (block $done (loop $l
      (br_if $done (i32.ge_u (local.get $p) (local.get $end)))
      (local.set $len (i32.load offset=3 align=1 (local.get $p)))
      (if (i32.gt_u (local.get $len) (i32.sub (local.get $end) (i32.add (local.get $p) (i32.const 7)))) (then unreachable))
      (local.set $e (call $op (i32.load8_u (local.get $p)) (i32.load16_u offset=1 align=1 (local.get $p)) (i32.add (local.get $p) (i32.const 7)) (local.get $len)))
      (if (local.get $e) (then (return (local.get $e))))
      (local.set $p (i32.add (i32.add (local.get $p) (i32.const 7)) (local.get $len)))
      (br $l)))
    (i32.const 0))
  ;; Tells the caller which table refused, and why; the transaction is undone.
  (func $fail (param $sink i32) (param $code i32) (param $d i32) (result i32)
    (local $text i32)
    (if (local.get $d) (then (call $sink_all (local.get $sink) (i32.load (local.get $d)) (i32.load offset=4 (local.get $d)))))
    (if (i32.gt_u (local.get $code) (i32.const 31)) (then (local.set $code (i32.const 0))))
    (local.set $text (i32.add (i32.load (i32.const 1052)) (i32.shl (local.get $code) (i32.const 3))))
    (call $sink_all (local.get $sink) (i32.load (local.get $text)) (i32.load offset=4 (local.get $text)))
    (i32.const 1))
  (func (export "__call_reducer__") (param $id i32) (param $s0 i64) (param $s1 i64) (param $s2 i64) (param $s3 i64)
        (param $c0 i64) (param $c1 i64) (param $ts i64) (param $args i32) (param $sink i32) (result i32)
    (local $r i32) (local $op i32) (local $h i32) (local $n i32) (local $e i32) (local $d i32) (local $t i32)
    (if (i32.ge_u (local.get $id) (i32.load (i32.const 1036))) (then unreachable))
    (local.set $r (i32.add (i32.load (i32.const 1032)) (i32.shl (local.get $id) (i32.const 4))))
    (local.set $op (i32.load (local.get $r)))
    (local.set $t (i32.load offset=4 (local.get $r)))
    (if (i32.and (i32.load offset=8 (local.get $r)) (i32.const 1))
      (then (if (i32.eqz (i32.and
                  (i32.and (i64.eq (local.get $s0) (i64.load (i32.const 1056))) (i64.eq (local.get $s1) (i64.load (i32.const 1064))))
                  (i32.and (i64.eq (local.get $s2) (i64.load (i32.const 1072))) (i64.eq (local.get $s3) (i64.load (i32.const 1080))))))
              (then (return (call $fail (local.get $sink) (i32.const 31) (i32.const 0)))))))
    (local.set $h (i32.add (i32.load (i32.const 1048)) (i32.const 128)))
    (if (local.tee $n (i32.shr_u (i32.load offset=8 (local.get $r)) (i32.const 16)))
      (then
        (call $reserve (i32.add (local.get $h) (i32.const 8192)))
        (i64.store offset=0 (local.get $h) (local.get $s0)) (i64.store offset=8 (local.get $h) (local.get $s1))
        (i64.store offset=16 (local.get $h) (local.get $s2)) (i64.store offset=24 (local.get $h) (local.get $s3))
        (if (i32.eqz (call $has (i32.sub (local.get $n) (i32.const 1)) (local.get $h)))
          (then
            (local.set $n (i32.load offset=12 (local.get $r)))
            (call $sink_all (local.get $sink) (i32.add (local.get $n) (i32.const 4)) (i32.load (local.get $n)))
            (return (i32.const 1))))))
    (if (i32.eqz (local.get $op)) (then (return (i32.const 0))))
    ;; 11: crash   12: fail with a text, the reducer's or the caller's
    (if (i32.eq (local.get $op) (i32.const 11)) (then unreachable))
    (if (i32.eq (local.get $op) (i32.const 12))
      (then
        (if (local.tee $n (i32.load offset=12 (local.get $r)))
          (then (call $sink_all (local.get $sink) (i32.add (local.get $n) (i32.const 4)) (i32.load (local.get $n))))
          (else
            (local.set $n (call $read_args (local.get $args) (local.get $h)))
            (call $sink_all (local.get $sink) (i32.add (local.get $h) (i32.const 4)) (i32.sub (local.get $n) (i32.const 4)))))
        (return (i32.const 1))))
    (local.set $d (call $table (local.get $t)))
    ;; 8: insert row {u64 0 (auto-inc), u32 reducer id, sender, conn, ts, args: Vec<u8>}
    (if (i32.eq (local.get $op) (i32.const 8))
      (then
        (local.set $n (call $read_args (local.get $args) (i32.add (local.get $h) (i32.const 72))))
        (i64.store (local.get $h) (i64.const 0))
        (i32.store offset=8 (local.get $h) (local.get $id))
        (i64.store offset=12 (local.get $h) (local.get $s0)) (i64.store offset=20 (local.get $h) (local.get $s1))
        (i64.store offset=28 (local.get $h) (local.get $s2)) (i64.store offset=36 (local.get $h) (local.get $s3))
        (i64.store offset=44 (local.get $h) (local.get $c0)) (i64.store offset=52 (local.get $h) (local.get $c1))
        (i64.store offset=60 (local.get $h) (local.get $ts))
        (i32.store offset=68 (local.get $h) (local.get $n))
        (local.set $e (call $op (i32.const 1) (local.get $t) (local.get $h) (i32.add (local.get $n) (i32.const 72))))
        (if (local.get $e) (then (return (call $fail (local.get $sink) (local.get $e) (local.get $d)))))
        (return (i32.const 0))))
    ;; 13: insert row {u64 0 (auto-inc), sender, conn, ts, the arguments as columns}
    (if (i32.eq (local.get $op) (i32.const 13))
      (then
        (local.set $n (call $read_args (local.get $args) (i32.add (local.get $h) (i32.const 64))))
        (call $reserve (i32.add (i32.add (local.get $h) (i32.const 64)) (local.get $n)))
        (i64.store (local.get $h) (i64.const 0))
        (i64.store offset=8 (local.get $h) (local.get $s0)) (i64.store offset=16 (local.get $h) (local.get $s1))
        (i64.store offset=24 (local.get $h) (local.get $s2)) (i64.store offset=32 (local.get $h) (local.get $s3))
        (i64.store offset=40 (local.get $h) (local.get $c0)) (i64.store offset=48 (local.get $h) (local.get $c1))
        (i64.store offset=56 (local.get $h) (local.get $ts))
        (local.set $e (call $op (i32.const 1) (local.get $t) (local.get $h) (i32.add (local.get $n) (i32.const 64))))
        (if (local.get $e) (then (return (call $fail (local.get $sink) (local.get $e) (local.get $d)))))
        (return (i32.const 0))))
    ;; 9: upsert row {conn, sender, ts}   10: delete by key conn
    (if (i32.or (i32.eq (local.get $op) (i32.const 9)) (i32.eq (local.get $op) (i32.const 10)))
      (then
        (call $reserve (i32.add (local.get $h) (i32.const 64)))
        (i64.store offset=0 (local.get $h) (local.get $c0)) (i64.store offset=8 (local.get $h) (local.get $c1))
        (i64.store offset=16 (local.get $h) (local.get $s0)) (i64.store offset=24 (local.get $h) (local.get $s1))
        (i64.store offset=32 (local.get $h) (local.get $s2)) (i64.store offset=40 (local.get $h) (local.get $s3))
        (i64.store offset=48 (local.get $h) (local.get $ts))
        (local.set $e (if (result i32) (i32.eq (local.get $op) (i32.const 9))
          (then (call $op (i32.const 5) (local.get $t) (local.get $h) (i32.const 56)))
          (else (call $op (i32.const 3) (local.get $t) (local.get $h) (i32.const 16)))))
        (if (local.get $e) (then (return (call $fail (local.get $sink) (local.get $e) (local.get $d)))))
        (return (i32.const 0))))
    (local.set $n (call $read_args (local.get $args) (local.get $h)))
    (if (i32.eq (local.get $op) (i32.const 7))
      (then ;; batch: arg is Vec<u8>
        (local.set $e (call $batch (i32.add (local.get $h) (i32.const 4)) (i32.sub (local.get $n) (i32.const 4)))))
      (else
        (local.set $e (call $op (local.get $op) (local.get $t) (local.get $h) (local.get $n)))))
    (if (local.get $e) (then (return (call $fail (local.get $sink) (local.get $e) (i32.load (i32.const 28))))))
    (i32.const 0))
)
