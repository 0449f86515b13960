use super::*;

fn path(text: &str) -> Path {
    text.parse().unwrap()
}

fn after(text: &str, edit: Result<Edit, EditError>) -> String {
    edit.unwrap().apply(text)
}

const DOC: &str = r#"// Of the example.
{
	"groups": {
		// The operators.
		"group:ops": ["ada@example.com", /* on leave */ "bob@example.com"],
		"group:dev": [
			"cy@example.com", // since May
		],
	},
	"acls": [
		// Operators everywhere.
		{"action": "accept", "src": ["group:ops"], "dst": ["*:*"]},

		// Developers.
		{
			"action": "accept",
			"src": ["group:dev"], // not ops
			"dst": ["*:22"],
		}, // the last one
	],
}
"#;

/// The lines that differ, with `-` and `+`.
fn changed(before: &str, after: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = old[same..].iter().rev().zip(new[same..].iter().rev());
    let tail = tail.take_while(|(a, b)| a == b).count();
    let minus = old[same..old.len() - tail].iter().map(|l| format!("-{l}"));
    let plus = new[same..new.len() - tail].iter().map(|l| format!("+{l}"));
    minus.chain(plus).collect()
}

#[test]
fn a_member_joins_a_group_in_the_group_s_own_style() {
    let one_line = append(DOC, &path("/groups/group:ops"), r#""cy@example.com""#);
    assert_eq!(
        changed(DOC, &after(DOC, one_line)),
        [
            "-\t\t\"group:ops\": [\"ada@example.com\", /* on leave */ \"bob@example.com\"],",
            "+\t\t\"group:ops\": [\"ada@example.com\", /* on leave */ \"bob@example.com\", \"cy@example.com\"],",
        ]
    );
    let lines = append(DOC, &path("/groups/group:dev"), r#""eve@example.com""#);
    assert_eq!(
        changed(DOC, &after(DOC, lines)),
        ["+\t\t\t\"eve@example.com\","]
    );
}

#[test]
fn a_rule_goes_to_the_end_or_above_the_comment_of_another() {
    let rule = "{\n\t\"action\": \"accept\",\n\t\"src\": [],\n\t\"dst\": [],\n}";
    let last = after(DOC, append(DOC, &path("/acls"), rule));
    assert_eq!(
        changed(DOC, &last),
        [
            "+\t\t{",
            "+\t\t\t\"action\": \"accept\",",
            "+\t\t\t\"src\": [],",
            "+\t\t\t\"dst\": [],",
            "+\t\t},"
        ]
    );
    let second = after(DOC, insert(DOC, &path("/acls/1"), "{}"));
    let place = second.find("\t\t{},\n\t\t// Developers.");
    assert!(place.is_some(), "{second}");
}

#[test]
fn a_missing_section_or_group_is_made() {
    let text = after(
        DOC,
        append(DOC, &path("/groups/group:new"), r#""ada@example.com""#),
    );
    assert_eq!(
        changed(DOC, &text),
        ["+\t\t\"group:new\": [\"ada@example.com\"],"]
    );
    let text = after(DOC, add(DOC, &path(""), "hosts", "{}"));
    assert_eq!(changed(DOC, &text), ["+\t\"hosts\": {},"]);
    let text = after("{}", append("{}", &path("/acls"), "{}"));
    assert_eq!(text, r#"{ "acls": [{}] }"#);
}

#[test]
fn plain_json_stays_plain_json() {
    let text = "{\r\n  \"a\": [1, 2],\r\n  \"b\": {}\r\n}\r\n";
    let added = after(text, add(text, &path(""), "c", "[\n  3\n]"));
    assert_eq!(
        added,
        "{\r\n  \"a\": [1, 2],\r\n  \"b\": {},\r\n  \"c\": [\r\n    3\r\n  ]\r\n}\r\n"
    );
    assert_eq!(after(&added, remove(&added, &path("/c"))), text);
    let less = after(text, remove(text, &path("/a/1")));
    assert!(less.contains("\"a\": [1]"), "{less}");
}

#[test]
fn comments_stay_when_their_entry_goes() {
    let text = after(DOC, remove(DOC, &path("/acls/0")));
    assert_eq!(
        changed(DOC, &text),
        ["-\t\t{\"action\": \"accept\", \"src\": [\"group:ops\"], \"dst\": [\"*:*\"]},"]
    );
    let text = after(DOC, remove(DOC, &path("/groups/group:dev/0")));
    assert_eq!(
        changed(DOC, &text),
        [
            "-\t\t\t\"cy@example.com\", // since May",
            "+\t\t\t// since May"
        ]
    );
    let text = after(DOC, remove(DOC, &path("/groups/group:ops/1")));
    assert!(
        text.contains(r#"["ada@example.com" /* on leave */],"#),
        "{text}"
    );
}

#[test]
fn a_rule_that_is_off_is_a_comment_and_comes_back() {
    let off = after(DOC, switch_off(DOC, &path("/acls/1")));
    assert_eq!(
        changed(DOC, &off)[6..],
        [
            "+\t\t// \t\"action\": \"accept\",",
            "+\t\t// \t\"src\": [\"group:dev\"], // not ops",
            "+\t\t// \t\"dst\": [\"*:22\"],",
            "+\t\t// }, // the last one",
        ]
        .map(|line| line.replace("\t\t// \t", "\t\t\t// "))
    );
    let all = off_entries(&off, &path("/acls")).unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].index, 1);
    assert!(all[0].text.contains("group:dev"));
    assert_eq!(after(&off, switch_on(&off, all[0].span.start)), DOC);
}

#[test]
fn an_entry_that_shares_its_line_is_put_into_a_block() {
    let text = r#"[1, /* two */ "2", {"c": /* x */ 3}]"#;
    let off = after(text, switch_off(text, &path("/2")));
    assert_eq!(off, r#"[1, /* two */ "2", /* off: {"c": /* x *\/ 3} */]"#);
    let more = after(&off, append(&off, &Path::default(), "4"));
    let at = off_entries(&more, &Path::default()).unwrap()[0].span.start;
    let on = after(&more, switch_on(&more, at));
    assert_eq!(on, r#"[1, /* two */ "2", {"c": /* x */ 3}, 4,]"#);
}

#[test]
fn an_example_in_a_comment_can_be_switched_on() {
    let off = off_entries(crate::STARTER, &path("/groups")).unwrap();
    assert_eq!(off.len(), 1);
    let on = after(crate::STARTER, switch_on(crate::STARTER, off[0].span.start));
    assert_eq!(crate::parse(&on).0.groups[0].members.len(), 2);
}

#[test]
fn what_cannot_be_done_is_told() {
    let told = |edit: Result<Edit, EditError>| edit.unwrap_err().to_string();
    assert_eq!(
        told(set(DOC, &path("/acls/9"), "1")),
        "there is nothing at `/acls/9`"
    );
    assert_eq!(
        told(append(DOC, &path("/groups"), "1")),
        "`/groups` is an object, not an array"
    );
    assert_eq!(
        told(add(DOC, &path("/groups"), "group:ops", "[]")),
        "`/groups` has a key `group:ops` already: set its value instead"
    );
    assert!(told(append(DOC, &path("/acls"), "{")).starts_with("the new value cannot be read: "));
    assert!(told(remove("[", &path("/0"))).starts_with("the document cannot be read: "));
    assert_eq!(
        told(remove(DOC, &path(""))),
        "the whole document can only be replaced"
    );
    assert_eq!(
        told(switch_on(DOC, 3)),
        "no entry is switched off at byte 3"
    );
    let deep = format!("{}1{}", "[".repeat(63), "]".repeat(63));
    assert!(told(append(DOC, &path("/acls"), &deep)).contains("nested deeper"));
    assert!("acls".parse::<Path>().is_err() && "/a~2".parse::<Path>().is_err());
}

#[test]
fn a_pointer_escapes_what_separates_it() {
    let odd = Path::new(["a/b", "~", ""]);
    assert_eq!(odd.to_string(), "/a~1b/~0/");
    assert_eq!(path("/a~1b/~0/"), odd);
}

#[test]
fn what_is_off_is_found_below_many_lines_of_comments() {
    for line in [
        "// \"words\" in quotes, as people write them\n",
        "//[\n",
        "// {\"a\": [\n",
        "//[/* \n",
    ] {
        let text = format!("[\n{}{{\"a\": 1}},\n]", line.repeat(2_000));
        let off = switch_off(&text, &path("/0")).unwrap();
        let at = off.replacements[0].span.start;
        let dark = off.apply(&text);
        assert_ne!(dark, text);
        assert_eq!(after(&dark, switch_on(&dark, at)), text, "{line}");
    }
}
