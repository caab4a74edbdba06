use super::*;

fn says(path: &str, before: &str, after: &str) -> Vec<String> {
    let found = compare(path, before, after).unwrap();
    let none = || "-".to_owned();
    found
        .into_iter()
        .map(|p| format!("{} {} {} {}", p.ecosystem, p.name, p.from.unwrap_or_else(none), p.to.unwrap_or_else(none)))
        .collect()
}

#[test]
fn cargo_lock_tells_what_was_added_raised_and_taken_away() {
    let package = |name: &str, version: &str, source: &str| {
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{source}\n")
    };
    let registry = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let git = "source = \"git+https://example.org/x?rev=1#abc\"";
    let before = [
        "version = 4\n".to_owned(),
        package("own", "0.1.0", ""),
        package("time", "0.1.44", registry),
        package("syn", "1.0.9", registry),
        package("syn", "2.0.9", registry),
        package("gone", "1.0.0", registry),
    ];
    let after = [
        "version = 4\n".to_owned(),
        package("own", "0.2.0", ""),
        package("time", "0.3.36", registry),
        package("syn", "1.0.9", registry),
        package("syn", "2.0.10", registry),
        package("forked", "1.0.0", git),
        package("fresh", "0.1.0", registry),
    ];
    assert_eq!(
        says("service/Cargo.lock", &before.concat(), &after.concat()),
        [
            "crates.io fresh - 0.1.0",
            "crates.io gone 1.0.0 -",
            "crates.io syn 2.0.9 2.0.10",
            "crates.io time 0.1.44 0.3.36",
        ]
    );
}

#[test]
fn every_kind_of_lock_file_is_read() {
    for (path, text, wanted) in [
        (
            "package-lock.json",
            r#"{"lockfileVersion":3,"packages":{"":{"name":"shop","version":"1.0.0"},"node_modules/lodash":{"version":"4.17.20"},
               "node_modules/a/node_modules/@scope/b":{"version":"1.0.0"},"node_modules/local":{"link":true},
               "node_modules/alias":{"name":"real","version":"2.0.0"},"packages/own":{"version":"1.0.0"},
               "node_modules/odd":{"version":"git+ssh://git@example.org/x.git#1"}}}"#,
            &["npm @scope/b - 1.0.0", "npm lodash - 4.17.20", "npm real - 2.0.0"][..],
        ),
        (
            "npm-shrinkwrap.json",
            r#"{"lockfileVersion":1,"dependencies":{"a":{"version":"1.0.0","dependencies":{"b":{"version":"2.0.0"}}}}}"#,
            &["npm a - 1.0.0", "npm b - 2.0.0"],
        ),
        (
            "web/yarn.lock",
            "# yarn lockfile v1\n\n\"@babel/core@^7.0.0\", \"@babel/core@^7.1.0\":\n  version \"7.1.0\"\n  resolved \"x\"\n\nlodash@^4:\n  version \"4.17.20\"\n",
            &["npm @babel/core - 7.1.0", "npm lodash - 4.17.20"],
        ),
        (
            "yarn.lock",
            "__metadata:\n  version: 8\n\n\"lodash@npm:^4\":\n  version: 4.17.20\n\n\"short@npm:long@^1\":\n  version: 1.0.0\n\n\"own@workspace:.\":\n  version: 0.0.0-use.local\n",
            &["npm lodash - 4.17.20", "npm long - 1.0.0"],
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\nimporters:\n  .:\n    x: 1\npackages:\n\n  '@babel/core@7.1.0(peer@1.0.0)':\n    resolution: {}\n  lodash@4.17.20:\n    x: 1\n  /old/1.2.3:\n    x: 1\nsnapshots:\n  z@1.0.0: {}\n",
            &["npm @babel/core - 7.1.0", "npm lodash - 4.17.20", "npm old - 1.2.3"],
        ),
        (
            "go.sum",
            "golang.org/x/crypto v0.1.0 h1:abc=\ngolang.org/x/crypto v0.1.0/go.mod h1:def=\ngolang.org/x/net v0.2.0/go.mod h1:ghi=\n",
            &["Go golang.org/x/crypto - 0.1.0"],
        ),
        (
            "requirements-dev.txt",
            "Django==4.2.1 ; python_version > '3'  # web\njinja2[i18n]==3.1.2 \\\n    --hash=sha256:aa\nrequests>=2\nnumpy==1.*\n-r other.txt\n",
            &["PyPI django - 4.2.1", "PyPI jinja2 - 3.1.2"],
        ),
        (
            "poetry.lock",
            "[[package]]\nname = \"My_Package.x\"\nversion = \"1.0\"\n\n[[package]]\nname = \"forked\"\nversion = \"1.0\"\n[package.source]\ntype = \"git\"\nurl = \"x\"\n",
            &["PyPI my-package-x - 1.0"],
        ),
        (
            "uv.lock",
            "version = 1\n[[package]]\nname = \"shop\"\nversion = \"0.1\"\nsource = { virtual = \".\" }\n[[package]]\nname = \"idna\"\nversion = \"3.6\"\nsource = { registry = \"https://pypi.org/simple\" }\n",
            &["PyPI idna - 3.6"],
        ),
        (
            "Pipfile.lock",
            r#"{"_meta":{},"default":{"Idna":{"version":"==3.6"}},"develop":{"x":{"git":"y"}}}"#,
            &["PyPI idna - 3.6"],
        ),
        (
            "Gemfile.lock",
            "GIT\n  remote: x\n  specs:\n    forked (1.0)\n\nGEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.15.4-x86_64-linux)\n      racc (~> 1.4)\n    rack (3.0.8)\n\nPLATFORMS\n  ruby\n",
            &["RubyGems nokogiri - 1.15.4", "RubyGems rack - 3.0.8"],
        ),
        (
            "composer.lock",
            r#"{"packages":[{"name":"monolog/monolog","version":"v2.9.1"}],"packages-dev":[{"name":"x/y","version":"dev-main"}]}"#,
            &["Packagist monolog/monolog - 2.9.1"],
        ),
        (
            "gradle.lockfile",
            "# comment\norg.slf4j:slf4j-api:2.0.9=compileClasspath,runtimeClasspath\nempty=annotationProcessor\n",
            &["Maven org.slf4j:slf4j-api - 2.0.9"],
        ),
    ] {
        assert_eq!(says(path, "", text), wanted, "{path}");
        assert_eq!(compare(path, text, text).unwrap(), [], "{path}");
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    for (path, text) in [
        ("Cargo.lock", "[[package]\n"),
        ("package-lock.json", "<html>"),
        ("composer.lock", "[]]"),
        ("Pipfile.lock", "{\"default\": 3}"),
        ("Cargo.lock", "[[package]]\nname = 3\n"),
    ] {
        assert_eq!(compare(path, "", text), Err("it is not what its name promises".to_owned()), "{path}");
    }
    assert!(compare("mix.lock", "", "x").is_err());
}

#[test]
fn hostile_names_are_left_out_and_depth_ends_in_an_answer() {
    let odd =
        "[[package]]\nname = \"a\\u202eb\"\nversion = \"1.0\"\n[[package]]\nname = \"ok\"\nversion = \"1.0 `x`\"\n";
    assert_eq!(says("poetry.lock", "", odd), [""; 0]);
    assert!(compare("package-lock.json", "", &"[".repeat(100_000)).is_err());
    assert!(compare("Cargo.lock", "", &format!("a = {}", "[".repeat(100_000))).is_err());
}

#[test]
fn what_comes_is_kept_where_there_is_too_much() {
    let package = |n: usize, from: Option<&str>, to: Option<&str>| PackageChange {
        name: format!("p{n:04}"),
        ecosystem: "npm".to_owned(),
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
    };
    let mut found: Vec<PackageChange> = (0..1_500).map(|n| package(n, Some("1"), None)).collect();
    found.extend((0..10).map(|n| package(9_000 + n, None, Some("1"))));
    let (kept, cut) = joined(found);
    assert_eq!(kept.len(), 1_000);
    assert!(kept[..10].iter().all(|package| package.to.is_some()));
    assert!(cut.is_some_and(|cut| cut.contains("1510")));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|\n|  |@|:|==|\"|\\[|\\{|v1\\.2|h1:|packages:|GEM|version ){0,80}") {
        for path in ["Cargo.lock", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "go.sum", "requirements.txt",
            "poetry.lock", "Pipfile.lock", "Gemfile.lock", "composer.lock", "gradle.lockfile"] {
            let _ = compare(path, "", &text);
        }
    }
}
