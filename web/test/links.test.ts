// Addresses in what a session prints.
import assert from "node:assert/strict";
import { test } from "node:test";

import { linkPieces } from "../src/links.ts";

const addresses = (text: string) => linkPieces(text).flatMap(({ address }) => address ?? []);

test("an address ends where its sentence does", () => {
  assert.deepEqual(addresses("see https://example.org/a?b=1#c."), ["https://example.org/a?b=1#c"]);
  assert.deepEqual(addresses("(at http://localhost:8000/x)"), ["http://localhost:8000/x"]);
  assert.deepEqual(addresses("https://example.org/Python_(language)!"), ["https://example.org/Python_(language)"]);
  assert.deepEqual(addresses("'https://a.example', \"https://b.example\""), ["https://a.example", "https://b.example"]);
});

test("only addresses of the web become links", () => {
  assert.deepEqual(addresses("javascript://alert(1) file:///etc/passwd data://x xhttps://y"), []);
  assert.deepEqual(addresses("https:// and http://"), []);
});

test("the pieces together are the text", () => {
  for (const text of ["", "plain", "https://a.example", "a https://b.example, c http://d.example/e).\n", "://", "https://%%% x"]) {
    assert.equal(linkPieces(text).map((piece) => piece.text).join(""), text);
  }
});
