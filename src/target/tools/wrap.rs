//! Programs that run other programs, programs that stay at home, and those that say nothing about what they do.

use super::Axis;

/// A program in front of a command.
pub(in crate::target) struct Wrapper {
    /// Its name, and the subcommand that runs others, where it has one.
    pub name: &'static str,
    pub subcommand: &'static str,
    /// Words of its own before the command; what they name, if anything.
    pub operands: &'static [Option<Axis>],
    /// Its options that take the next word, separated by spaces.
    pub takes: &'static str,
    /// Whether it sets variables that we cannot see.
    pub clouds: bool,
}

const fn wrapper(
    name: &'static str,
    subcommand: &'static str,
    operands: &'static [Option<Axis>],
    takes: &'static str,
    clouds: bool,
) -> Wrapper {
    Wrapper { name, subcommand, operands, takes, clouds }
}

pub(in crate::target) const WRAPPERS: &[Wrapper] = &[
    wrapper("sudo", "", &[], "-u --user -g --group -h --host -p --prompt -C -r -t", false),
    wrapper("doas", "", &[], "-u -C", false),
    wrapper("env", "", &[], "-u --unset -C --chdir -S", false),
    wrapper("time", "", &[], "-f -o", false),
    wrapper("nohup", "", &[], "", false),
    wrapper("nice", "", &[], "-n", false),
    wrapper("ionice", "", &[], "-c -n -p", false),
    wrapper("exec", "", &[], "-a", false),
    wrapper("command", "", &[], "", false),
    wrapper("builtin", "", &[], "", false),
    wrapper("stdbuf", "", &[], "-i -o -e", false),
    wrapper("setsid", "", &[], "", false),
    wrapper("unbuffer", "", &[], "", false),
    wrapper("caffeinate", "", &[], "-t -w", false),
    wrapper("timeout", "", &[None], "-s --signal -k --kill-after", false),
    wrapper("watch", "", &[], "-n --interval", false),
    wrapper("xargs", "", &[], "-n -P -I -L -d -s -a -E --max-args --max-procs --delimiter", false),
    wrapper("retry", "", &[], "-t -d", false),
    wrapper("parallel", "", &[], "-j --jobs", false),
    wrapper("aws-vault", "exec", &[Some(Axis::AwsProfile)], "-d --duration --region --mfa-token", false),
    wrapper("aws-okta", "exec", &[Some(Axis::AwsProfile)], "", false),
    wrapper("granted", "exec", &[Some(Axis::AwsProfile)], "", false),
    wrapper("saml2aws", "exec", &[], "-a --idp-account -p --profile", true),
    wrapper("chamber", "exec", &[None], "", true),
    wrapper("op", "run", &[], "--env-file --account", true),
    wrapper("doppler", "run", &[], "-p --project -c --config", true),
    wrapper("dotenv", "", &[], "-e -f -c -v", true),
    wrapper("envchain", "", &[None], "", true),
    wrapper("direnv", "exec", &[None], "", true),
    wrapper("infisical", "run", &[], "--env --path", true),
    wrapper("bundle", "exec", &[], "", false),
    wrapper("npx", "", &[], "-p --package", false),
    wrapper("bunx", "", &[], "", false),
    wrapper("pnpm", "exec", &[], "", false),
    wrapper("poetry", "run", &[], "", false),
    wrapper("pipenv", "run", &[], "", false),
    wrapper("uv", "run", &[], "", false),
    wrapper("asdf", "exec", &[], "", false),
    wrapper("mise", "exec", &[], "", false),
];

/// Programs whose meaning stands in a file of yours: what they aim at cannot be read from the command.
pub(in crate::target) const SCRIPTS: &str = "make gmake just task npm yarn pnpm bun npx python python3 ruby node deno php perl \
    bash sh zsh fish pwsh bundle gradle gradlew mvn mvnw ant rake invoke inv poetry uv pipenv tox nox mage bazel nx lerna turbo \
    go cargo gh glab act jenkins-cli spin octo";

/// Programs that do nothing beyond the machine that they are typed on.
pub(in crate::target) const LOCAL: &str = "echo printf cat less more head tail grep egrep rg ag sed awk cut sort uniq wc tr tee jq yq \
    xmllint date cal sleep true false : test [ [[ pwd ls ll la tree find stat file du df mkdir rmdir touch cp mv rm ln chmod chown diff cmp \
    patch tar gzip gunzip zip unzip base64 sha256sum md5sum openssl gpg sops age ssh-add ssh-keygen which type whoami id uname hostname \
    clear history man info vi vim nano emacs code open xdg-open pbcopy pbpaste exit return break continue shift wait jobs fg bg read local \
    umask ulimit hash let trap alias unalias kill pkill ps top htop uptime free envsubst gomplate seq basename dirname realpath mktemp \
    column nl paste comm join fold expand dig nslookup host ping nc telnet logger notify-send say cowsay watch xxd od sha1sum screen tmux \
    brew apt apt-get yum dnf pip pip3 shellcheck hadolint tflint tfsec checkov trivy pre-commit dyff delta bat fzf aws-sso-util \
    getopts printenv env sync yes tput stty cd";
