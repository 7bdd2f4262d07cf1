use super::*;
use std::os::unix::fs::PermissionsExt;

fn key_file(dir: &Path, name: &str, text: &str, mode: u32) -> KeySource {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    KeySource::KeyFile(path)
}

fn create(store: &Path, source: &KeySource) -> Result<NewKeys, Failure> {
    Keys::create(store, source, Utc::now())
}

fn state(failure: Option<Failure>) -> String {
    let failure = failure.unwrap();
    assert_eq!(failure.kind.exit_status(), 4, "{failure}");
    assert!(failure.hint.is_some(), "{failure} says what to do");
    failure.state.unwrap()
}

#[test]
fn a_key_file_opens_what_it_made_and_nothing_else_does() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("a.db");
    let right = key_file(dir.path(), "right", "correct horse\n", 0o600);
    let wrong = key_file(dir.path(), "wrong", "battery staple", 0o600);
    let made = create(&store, &right).unwrap();
    let again = Keys::open(&store, &right).unwrap();
    assert_eq!(made.keys.store_key().unwrap(), again.store_key().unwrap());
    assert_eq!(state(Keys::open(&store, &wrong).err()), "key_file_wrong");
    let keychain = Keys::open(&store, &KeySource::Keychain).err();
    assert_eq!(state(keychain), "key_file_needed");

    let recovery = key_file(dir.path(), "recovery", &made.recovery_key, 0o600);
    let recovered = Keys::open(&store, &recovery).unwrap();
    assert_eq!(
        made.keys.store_key().unwrap(),
        recovered.store_key().unwrap()
    );

    let beside = std::fs::read_to_string(sidecar_path(&store)).unwrap();
    assert!(!beside.contains(&hex(made.keys.root.as_ref())));
    assert!(!beside.contains("horse"));
}

#[test]
fn a_new_recovery_key_replaces_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("a.db");
    let source = key_file(dir.path(), "k", "correct horse", 0o600);
    let made = create(&store, &source).unwrap();
    let text = made.keys.new_recovery_key(Utc::now()).unwrap();
    let first = key_file(dir.path(), "first", &made.recovery_key, 0o600);
    let second = key_file(dir.path(), "second", &text, 0o600);
    assert_eq!(
        state(Keys::open(&store, &first).err()),
        "recovery_key_wrong"
    );
    Keys::open(&store, &second).unwrap();
    let (most, last) = text.split_at(text.len() - 1);
    let slip = format!("{most}{}", if last == "0" { "1" } else { "0" });
    let slip = key_file(dir.path(), "slip", &slip, 0o600);
    assert_eq!(state(Keys::open(&store, &slip).err()), "recovery_key_slip");
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("a.db");
    let open = key_file(dir.path(), "open", "x-y-z-passphrase", 0o644);
    let failure = create(&store, &open).err().unwrap();
    assert!(failure.message.contains("0600"), "{failure}");
    assert_eq!(state(Some(failure)), "key_file_loose");
    let short = key_file(dir.path(), "short", "x", 0o600);
    assert_eq!(state(create(&store, &short).err()), "key_file_short");
    let absent = KeySource::KeyFile(dir.path().join("absent"));
    assert_eq!(state(create(&store, &absent).err()), "key_file_unreadable");
    assert!(!sidecar_path(&store).exists(), "nothing is created");
}

#[test]
fn a_file_of_keys_that_is_missing_or_damaged_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("a.db");
    let source = key_file(dir.path(), "k", "correct horse", 0o600);
    assert_eq!(
        state(Keys::open(&store, &source).err()),
        "keys_file_missing"
    );
    create(&store, &source).unwrap();
    let whole = std::fs::read_to_string(sidecar_path(&store)).unwrap();
    for (text, wanted) in [
        (whole.get(..whole.len() / 2).unwrap(), "keys_file_damaged"),
        (
            &whole.replace("\"version\": 2", "\"version\": 3"),
            "store_newer",
        ),
        ("{}", "keys_file_damaged"),
    ] {
        std::fs::write(sidecar_path(&store), text).unwrap();
        assert_eq!(state(Keys::open(&store, &source).err()), wanted, "{text}");
    }
}

#[test]
fn a_file_of_keys_of_the_first_version_still_opens() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("a.db");
    let source = key_file(dir.path(), "k", "correct horse", 0o600);
    let made = create(&store, &source).unwrap();
    let new: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(sidecar_path(&store)).unwrap()).unwrap();
    let first = serde_json::json!({
        "version": 1, "store_id": new["store_id"], "kept_in": new["key"]["kept_in"],
    });
    std::fs::write(sidecar_path(&store), first.to_string()).unwrap();
    let opened = Keys::open(&store, &source).unwrap();
    assert_eq!(made.keys.store_key().unwrap(), opened.store_key().unwrap());
    assert!(report(&store).unwrap().recovery_is_root);
}

#[test]
fn keys_of_one_store_differ_by_purpose() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("a.db");
    let source = key_file(dir.path(), "k", "correct horse", 0o600);
    let keys = create(&store, &source).unwrap().keys;
    let (store, sealing, prints) = (
        keys.store_key().unwrap(),
        keys.sealing_key().unwrap(),
        keys.fingerprint_key().unwrap(),
    );
    assert!(store != sealing && sealing != prints && store != prints);
    assert!(!hex(keys.root.as_ref()).contains(&keys.key_id().unwrap()));
}
