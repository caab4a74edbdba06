"""Reads the calendars of a folder and looks at the stretches that their `.expected.json` name, as the bench does; says how
often (rounds), how many occurrences one round found, how many stretches failed, and the seconds of each round as JSON."""

import datetime
import json
import pathlib
import sys
import time

import icalendar
import recurring_ical_events


def main():
    folder, rounds = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    work = []
    for file in sorted(folder.glob("*.expected.json")):
        expected = json.loads(file.read_text())
        text = (folder / f"{expected['id']}.ics").read_bytes()
        stretches = [
            (moment(query["start"]), moment(query["end"])) for query in expected["queries"] if not query["contested"]
        ]
        work.append((text, stretches))
    seconds = []
    for _ in range(rounds):
        found = failed = 0
        began = time.perf_counter()
        for text, stretches in work:
            try:
                calendar = recurring_ical_events.of(icalendar.Calendar.from_ical(text))
            except Exception:
                failed += len(stretches)
                continue
            for start, end in stretches:
                try:
                    found += len(calendar.between(start, end))
                except Exception:
                    failed += 1
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"found": found, "failed": failed, "seconds": seconds}))


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


main()
