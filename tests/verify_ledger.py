#!/usr/bin/env python3
"""Verifies an export of a Tidegate ledger (JSON Lines) without Tidegate: Python 3, its standard library, and openssl.

    python3 verify_ledger.py EXPORT.jsonl [--key NAME+ID+KEY]... [--checkpoint FILE]...
    python3 verify_ledger.py ANSWER.json --key NAME+ID+KEY    # what a gate answered, by its signed statement

Prints {"ok", "size", "root", "first_bad", "says"}; exit 0 sound, 1 damaged, 2 cannot tell. It checks each entry's form (RFC 8785), its
leaf SHA-256(0x00 + bytes), its place, the chain of `prev`, times, texts against their commitments, and the Merkle root (RFC 6962)
against every checkpoint (C2SP signed note, Ed25519); it follows key rotations and restores. Without --key the export's own is used."""
import base64, functools, hashlib, json, pathlib, re, subprocess, sys, tempfile
FINDINGS, DOUBTS, ERASED, UNTIL, OWN = [], [], set(), {}, []  # UNTIL: which entry replaced a key; OWN: the key that the ledger itself names
def find(seq, damage, what, until=None): FINDINGS.append((seq, damage, what, until))
sha, b64 = lambda data: hashlib.sha256(data).digest(), lambda text: base64.b64decode(text, validate=True)
def whole(text):
    if not re.fullmatch(r"-?[0-9]+", text) or abs(int(text)) >= 2 ** 53: raise ValueError("a number is an integer below 2^53")
    return int(text)
def sound(value, depth=1):
    if value is None or (isinstance(value, (dict, list)) and (depth > 8 or len(value) > 1024)): raise ValueError("null, or too much")
    if isinstance(value, str) and ("\0" in value or len(value.encode()) > 8192): raise ValueError("text")
    if isinstance(value, dict) and not all(re.fullmatch(r"[!#-\[\]-~]{1,64}", key) for key in value): raise ValueError("key")
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else (): sound(child, depth + 1)
def entry(text):  # the entry, if the text is its canonical form; None if not
    try:
        e = json.loads(text, parse_float=whole, parse_constant=whole, parse_int=whole)
        sound(e); again = json.dumps(e, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        shape = dict(v=int, origin=str, epoch=int, seq=int, prev=str, at=int, kind=str)
        well = again == text and len(text.encode()) <= 65536 and all(type(e[name]) is kind for name, kind in shape.items())
        well = well and min(e["v"], e["seq"], e["epoch"]) >= 0 and re.fullmatch("[0-9a-f]{64}", e["prev"]) and len(e["kind"]) <= 64
        return e if well and re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*", e["kind"]) else None
    except (ValueError, KeyError, TypeError, RecursionError): return None
def grow(tree, leaf):  # tree: (leaves, hash) of each full subtree, the largest first
    tree.append((1, leaf))
    while len(tree) > 1 and tree[-1][0] == tree[-2][0]: tree[-2:] = [(2 * tree[-1][0], sha(b"\x01" + tree[-2][1] + tree[-1][1]))]
root = lambda tree: functools.reduce(lambda right, left: sha(b"\x01" + left + right), [h for _, h in reversed(tree)] or [sha(b"")])
def ed25519(key, message, signature):
    with tempfile.TemporaryDirectory() as at:
        files = ("k", bytes.fromhex("302a300506032b6570032100") + key), ("m", message), ("s", signature)
        for name, data in files: pathlib.Path(at, name).write_bytes(data)
        asked = f"openssl pkeyutl -verify -pubin -keyform DER -inkey {at}/k -rawin -in {at}/m -sigfile {at}/s"
        return subprocess.run(asked.split(), capture_output=True).returncode == 0
def key_of(text):
    name, kid, raw = (part if i < 2 else b64(part) for i, part in enumerate(text.strip().split("+", 2)))
    if raw[:1] != b"\x01" or len(raw) != 33 or sha(f"{name}\n".encode() + raw)[:4].hex() != kid: raise ValueError("not an Ed25519 key")
    return name.rsplit("/", 1)[0], raw
class Checkpoint:
    def __init__(self, note):
        lines = [line.strip() for line in note.strip().split("\n")]
        self.origin, self.size, self.root, self.text = lines[0], int(lines[1]), b64(lines[2]), "\n".join(lines[:3]) + "\n"
        self.ledger, self.epoch = self.origin.rsplit("/", 1)[0], int(self.origin.rsplit("/", 1)[1])
        self.signatures = [(line.split(" ")[1], b64(line.split(" ")[2])) for line in lines[4:]]
        if lines[3] or not self.signatures: raise ValueError("not a signed checkpoint")
    def signed(self, keys):
        ours = [(raw, line[4:]) for name, line in self.signatures for ledger, raw in keys if (name, ledger) == (self.origin, self.ledger)
                and line[:4] == sha(f"{self.origin}\n".encode() + raw)[:4] and self.size < UNTIL.get(raw, self.size + 1)]
        return None if not ours else all(ed25519(raw[1:], self.text.encode(), signature) for raw, signature in ours)
def end(tree, size):
    first = min(FINDINGS, key=lambda f: (f[3] or f[0], f[3] is not None), default=None)
    print(json.dumps({"ok": not FINDINGS and not DOUBTS, "size": size, "root": root(tree).hex(),
                      "first_bad": {"seq": first[0], "damage": first[1]} if first else None,
                      "says": first[2] if first else DOUBTS[0] if DOUBTS else "The ledger is sound."}))
    sys.exit(1 if first else 2 if DOUBTS else 0)
def take_note(e, texts, keys):  # texts beside the entry; who erased a text; which key takes over
    committed, data = e.get("commitments", {}), e.get("data", {})
    for name, kept in (texts or {}).items():
        salt = bytes.fromhex(kept["salt"]) if kept and re.fullmatch("[0-9a-f]{64}", kept["salt"]) else b""
        if name not in committed or kept and sha(salt + kept["body"].encode()).hex() != committed[name]:
            find(e["seq"], "edited", f"text {name} beside entry {e['seq']} is not the one recorded")
    if texts is not None: ERASED.update((e["seq"], name) for name in committed if texts.get(name) is None)
    if e["kind"] == "text.erased": ERASED.difference_update((data["entry"], name) for name in data["names"])
    if e["kind"] == "instance.started": OWN[:] = OWN or [key_of(data["key"])]
    if e["kind"] == "instance.started" and OWN[0] != key_of(data["key"]):
        find(e["seq"], "forked", "a key is in use that no entry hands over to: it was swapped")
    if e["kind"] == "key.rotated":
        old, new, text = key_of(data["old"]), key_of(data["new"]), f"tidegate key rotation\n{data['old']}\n{data['new']}\n".encode()
        both = all(ed25519(key_of(data[k])[1][1:], text, b64(data[k + "_signature"])) for k in ("old", "new"))
        if not both or OWN and OWN[0] != old: return find(e["seq"], "forked", "a key takes over without the old one's signature: it was swapped")
        if old in keys: UNTIL[old[1]] = e["seq"]; keys.append(new)
        OWN[:] = [new]
def closes(c, size, top, keys, ledger, good):
    signed = c.signed(keys)
    swapped = c.ledger == ledger and (signed is None or OWN and c.signed(OWN) is None)
    if signed is False: find(max(c.size, 1), "edited", "the closing checkpoint is not the one that was signed")
    elif swapped: find(min(good + 1, max(size, 1)), "forked", "the last key was swapped, or you named another ledger's", size)
    elif c.size > size: find(size + 1, "truncated", "entries are gone from the end")
    elif c.size < size: find(c.size + 1, "forked", "entries stand behind the closing checkpoint")
    elif (c.root, c.ledger) != (top, ledger): find(min(good + 1, max(size, 1)), "forked", "the closing checkpoint differs", size)
def verify(rows, keys, anchors, ledger):
    tree, size, prev, at, epochs, good, closing = [], 0, "0" * 64, 0, [], 0, None
    state, pending = "whole", None  # torn: (seq, leaf); displaced: (seq, whether the next is in its place); broken
    broken = lambda seq, damage, what: find(seq, damage, f"entry {seq} {what}") or "broken"
    for line, row in rows:
        if row is None and line.startswith('{"checkpoint"'): closing = Checkpoint(json.loads(line)["checkpoint"]); break
        text, size = row["bytes"] if row else line, size + 1
        leaf, e = sha(b"\0" + text.encode()), entry(text); grow(tree, leaf)
        epoch = epochs[-1][0] if epochs else e and e["epoch"]
        if state == "torn": state = broken(pending[0] - (not e or e["prev"] == pending[1]), "edited", "breaks the chain")
        elif state == "displaced" and e and e["seq"] == pending[0]: state = broken(pending[0], "reordered", "stands behind later ones")
        elif state == "displaced" and pending[1] is None: pending = (pending[0], bool(e) and e["seq"] == pending[0] + 1)
        elif state != "whole": continue
        elif not e or not row: state = broken(size, "edited", "is not in canonical form")
        elif row["leaf"] != leaf.hex(): state = broken(size, "edited", "does not hash to its leaf")
        elif e["v"] != 1: DOUBTS.append(f"entry {size} is of another format"); state = "broken"
        elif e["origin"] != ledger: state = broken(size, "forked", "belongs to another ledger")
        elif e["seq"] > size: state, pending = "displaced", (size, None)
        elif e["seq"] == size - 1 and leaf.hex() != prev: state = broken(size - 1, "forked", "stands there twice")
        elif e["seq"] < size: state = broken(size, "reordered", "is not in its place")
        elif row["seq"] != size: state = broken(size, "edited", "is stored under another number")
        elif e["prev"] != prev and size == 1: state = broken(1, "edited", "names an entry before the first")
        elif e["prev"] != prev: state, pending = "torn", (size, leaf.hex())
        elif e["epoch"] != epoch and (e["kind"], e["epoch"]) != ("log.restored", epoch + 1): state = broken(size, "edited", "is misdated")
        else:
            if not epochs or epoch != e["epoch"]: epochs.append((e["epoch"], size, e.get("data", {}).get("old_size", 0)))
            if e["at"] < at: find(size, "backdated", f"entry {size} says an earlier time than the one before")
            prev, at = leaf.hex(), max(at, e["at"])
            take_note(e, row.get("texts"), keys)
            for c in [c for c in anchors if (c.size, c.ledger) == (size, ledger) and c.epoch >= e["epoch"]]:
                anchors.remove(c)
                if not c.signed(keys): DOUBTS.append("a checkpoint is altered, or not signed by a key that you named")
                elif (c.root, c.epoch) != (root(tree), e["epoch"]): find(good + 1, "forked", f"differs from the checkpoint at {size}", size)
                else: good = size
    if state == "torn": broken(pending[0] - 1, "edited", "is not the one that the next was written after")
    if state == "displaced": broken(pending[0], "edited" if pending[1] else "missing", "is not in its place")
    if state == "whole" and closing: closes(closing, size, root(tree), keys, ledger, good)
    for c in anchors if state == "whole" else []:
        _, start, known = next((e for e in epochs if e[0] > c.epoch), (0, size + 1, 0))
        if c.ledger != ledger or not c.signed(keys): DOUBTS.append("a checkpoint is not of this ledger, altered, or not signed")
        elif c.size > known: find(start, "truncated", f"entries up to {c.size} are gone")
    for seq, name in sorted(ERASED) if state == "whole" else []: find(seq, "missing", f"text {name} of entry {seq} is gone, its erasure unrecorded")
    if not closing: find(size + 1, "truncated", "the export breaks off: its closing checkpoint is gone")
    if closing and next(rows, None): raise ValueError("something follows the closing checkpoint")
    end(tree, size)
def read(lines):
    for raw in lines:
        line = raw.decode().rstrip("\r\n")
        try:
            row = json.loads(line)
            texts = [kept[part] for kept in (row.get("texts") or {}).values() if kept is not None for part in ("salt", "body")]
            if type(row["seq"]) is not int or not [text.encode() for text in (row["bytes"], row["leaf"], *texts)]: row = None
        except (ValueError, KeyError, TypeError, AttributeError): row = None
        yield line, row
def answer(told, keys):  # a gate's answer: who signed its statement, and whether the rest of it says the same
    heading, line, blank, signature = told["signed"].strip().split("\n")
    said, (name, signature) = json.loads(line), signature.removeprefix("— ").split(" ")
    if heading != "tidegate gate answer v1" or blank or json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False) != line:
        raise ValueError("no statement of a gate")
    ours = [raw for ledger, raw in keys if ledger == name.rsplit("/", 1)[0] and b64(signature)[:4] == sha(f"{name}\n".encode() + raw)[:4]]
    differs = [field for field in ("verdict", "approved", "plan", "brief", "commit") if told.get(field) != said.get(field)]
    if [reason["code"] for reason in told["reasons"]] != said["reasons"] or said["instance"] != name: differs.append("reasons or instance")
    if ours and not all(ed25519(raw[1:], f"{heading}\n{line}\n".encode(), b64(signature)[4:]) for raw in ours): differs.append("signature")
    says = f"differs from what was signed: {', '.join(differs)}" if differs else f"{name} said {said['verdict']} at {said['at']}"
    print(json.dumps({"ok": bool(ours) and not differs, "verdict": said["verdict"], "says": says if ours else "no key that you named signed it"}))
    sys.exit(1 if differs else 0 if ours else 2)
def main(args):
    options = [(args[i], args[i + 1]) for i in range(1, len(args) - 1, 2)]
    try:
        small = pathlib.Path(args[0]).read_text(encoding="utf-8") if pathlib.Path(args[0]).stat().st_size < 1 << 20 else ""
        if '"signed":' in small and not small.startswith('{"format"'):
            return answer(json.loads(small), [key_of(value) for name, value in options if name == "--key"])
        lines = open(args[0], "rb"); header = json.loads(next(lines))
        if [header[k] for k in ("format", "v", "scope")] != ["tidegate-ledger", 1, "all"]: raise ValueError("no export of a whole ledger")
        keys = [key_of(value) for name, value in options if name == "--key"] or [key_of(header["key"])]
        files = [pathlib.Path(value).read_text(encoding="utf-8") for name, value in options if name == "--checkpoint"]
        anchors = [Checkpoint(note) for text in files for note in re.findall(r"(?:.+\n){3}\n(?:— .+\n?)+", text) or [text]]
        verify(read(lines), keys, sorted(anchors, key=lambda c: c.size), header["ledger"])
    except (OSError, ValueError, KeyError, IndexError, TypeError, StopIteration) as why: DOUBTS.append(f"cannot be read: {why}"); FINDINGS.clear(); end([], 0)
if __name__ == "__main__": main(sys.argv[1:])
