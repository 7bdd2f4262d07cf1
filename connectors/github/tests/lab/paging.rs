//! Lists of several pages, and what changes while they are read.

use super::*;

/// The members of one of two organisations of a few thousand, read through a server with or
/// without marks; something may change on the way.
fn members(world: World, name: &str) -> (Vec<Page>, usize) {
    let behind = Behind::tls(world);
    let pages = read(behind.connector(name, APP, &[]).as_ref(), Kind::Account).unwrap();
    (pages, behind.running.asked().len())
}

pub fn two(marks: bool) -> World {
    let mut world = large("north", 3_210, 20);
    let south = large("south", 2_345, 24);
    world.objects.extend(south.objects);
    world.lists.extend(south.lists);
    world.marks = marks;
    world
}

#[test]
fn thousands_of_members_are_read_page_by_page_each_once() {
    for marks in [true, false] {
        for (name, count) in [("north", 3_210), ("south", 2_345)] {
            let (pages, asked) = members(two(marks), name);
            let ids: BTreeSet<String> = facts(&pages).iter().map(Fact::key).collect();
            assert_eq!(ids.len(), count + 1, "members and the owner");
            assert_eq!(facts(&pages).len(), ids.len(), "each once");
            assert!(complete(&pages));
            // Twice all pages of a hundred, and little more.
            let once = count.div_ceil(100);
            assert!(
                (2 * once..2 * once + 16).contains(&asked),
                "{asked} requests, {name}"
            );
        }
    }
}

#[test]
fn a_read_goes_on_in_a_later_session_where_requests_were_spent() {
    let behind = Behind::tls(two(true));
    let connector = behind.connector("north", APP, &[]);
    let mut cursor: Option<Cursor> = None;
    let mut met = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let first = run(async {
        let mut session = connector.connect().await.unwrap();
        let request = PageRequest {
            cursor: None,
            limit: 500,
            since: None,
        };
        session.read_page(Kind::Account, request).await.unwrap()
    });
    assert!(
        first.records.is_empty() && first.next.is_some(),
        "more pages than one may ask for"
    );
    run(async {
        cursor = first.next;
        let mut session = connector.connect().await.unwrap();
        while let Some(at) = cursor.take() {
            assert!(met.insert(at.0.clone()), "the cursor {} came twice", at.0);
            let request = PageRequest {
                cursor: Some(at),
                limit: 500,
                since: None,
            };
            let page = session.read_page(Kind::Account, request).await.unwrap();
            seen.extend(page.records.iter().map(Fact::key));
            cursor = page.next;
        }
    });
    assert_eq!(seen.len(), 3_211);
}

/// Takes the first member away when so many requests were answered.
fn with_removal(after: usize, marks: bool) -> World {
    let mut world = two(marks);
    let change = |world: &mut World| {
        let list = world
            .lists
            .get_mut("/orgs/north/members?role=member")
            .unwrap();
        list.1.remove(0);
    };
    world.then = Some((after, Box::new(change)));
    world
}

#[test]
fn whoever_stays_is_not_missed_when_another_is_removed_between_two_pages() {
    for marks in [true, false] {
        for after in [8, 20, 37, 50, 69] {
            let (pages, _) = members(with_removal(after, marks), "north");
            let ids: BTreeSet<String> = facts(&pages).iter().map(Fact::key).collect();
            assert!(complete(&pages));
            for id in 100_001..103_210 {
                let key = format!("corp-github\u{1f}{id}");
                assert!(ids.contains(&key), "{id} was missed, removal after {after}");
            }
        }
    }
}

#[test]
fn a_list_that_never_stands_still_is_no_list() {
    fn again(world: &mut World) {
        let list = world
            .lists
            .get_mut("/orgs/north/members?role=member")
            .unwrap();
        list.1.remove(0);
        world.then = Some((20, Box::new(again)));
    }
    let mut world = two(true);
    world.then = Some((20, Box::new(again)));
    let behind = Behind::tls(world);
    let error = read(behind.connector("north", APP, &[]).as_ref(), Kind::Account).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
    assert!(error.message.contains("changed each time"));
}
