// Places that clients share: one alone has all, and gives them up to those that have fewer.
import { FairPlaces, Place } from "../../../assembly/sentinel/fair_places";

class TestPlace extends Place {
  lost: i32 = 0;

  onTaken(): void {
    this.lost++;
  }
}

/** Takes so many places for a client; how many it got. */
function take(places: FairPlaces, id: u64, count: i32, all: TestPlace[] = []): i32 {
  let got = 0;
  for (let i = 0; i < count; i++) {
    const place = new TestPlace();
    if (!places.take(place, id)) continue;
    all.push(place);
    got++;
  }
  return got;
}

function lost(all: TestPlace[]): i32 {
  let sum = 0;
  for (let i = 0; i < all.length; i++) sum += all[i].lost;
  return sum;
}

describe("places that clients share", () => {
  test("a client alone has all of them, and no more", () => {
    const places = new FairPlaces(10);
    expect(take(places, 1, 20)).toBe(10);
    expect(places.taken).toBe(10);
  });

  test("another one gets the latest of them, one by one, until both have the same", () => {
    const places = new FairPlaces(10);
    const first: TestPlace[] = [];
    take(places, 1, 10, first);
    expect(take(places, 2, 20)).toBe(5);
    expect(lost(first)).toBe(5);
    for (let i = 0; i < 10; i++) expect(first[i].lost).toBe(i < 5 ? 0 : 1);
    expect(places.taken).toBe(10);
    // Nor does the first get any back.
    expect(take(places, 1, 20)).toBe(0);
  });

  test("however many have all, the next still gets its part", () => {
    const places = new FairPlaces(1000);
    for (let id = 1; id <= 100; id++) {
      const part = 1000 / id;
      const got = take(places, id, 2000);
      expect(got >= part - 1 && got <= 1000).toBe(true, `${id} has ${got}`);
    }
    expect(places.taken).toBe(1000);
  });

  test("as many clients as places have one each", () => {
    const places = new FairPlaces(4);
    for (let id = 1; id <= 4; id++) expect(take(places, id, 4)).toBe(4 / (id == 1 ? 1 : id));
    expect(take(places, 5, 1)).toBe(0);
  });

  test("whoever comes and goes, counts and links stay right", () => {
    const places = new FairPlaces(50);
    const all: TestPlace[] = [];
    let random: u32 = 7;
    let wrong = 0;
    for (let step = 0; step < 20000; step++) {
      random = random * 1664525 + 1013904223;
      const dice = (random >> 16) % 100;
      if (dice < 60) take(places, ((random >> 8) % 9) as u64, 1, all);
      else if (all.length > 0) places.free(all.splice(((random >> 8) % (all.length as u32)) as i32, 1)[0]);
      let have = 0;
      for (let i = all.length - 1; i >= 0; i--) {
        if (all[i].client !== null) have++;
        else all.splice(i, 1);
      }
      if (have != places.taken || have > 50) wrong++;
    }
    expect(wrong).toBe(0);
    for (let i = 0; i < all.length; i++) places.free(all[i]);
    expect(places.taken).toBe(0);
    expect(take(places, 77, 60)).toBe(50);
  });
});
