//! Clouds, and what describes infrastructure as code.

use super::{Args, Axis::*, Effect, Look, Move, PLAIN, Tool, Value, known};

/// What every tool on AWS listens to.
const AWS_VARS: &[(&str, super::Axis)] = &[
    ("AWS_PROFILE", AwsProfile),
    ("AWS_DEFAULT_PROFILE", AwsProfile),
    ("AWS_VAULT", AwsProfile),
    ("AWS_REGION", AwsRegion),
    ("AWS_DEFAULT_REGION", AwsRegion),
    ("AWS_ACCOUNT_ID", AwsAccount),
];

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        names: &["terraform", "tofu", "tf", "terragrunt", "opentofu"],
        place_word: "workspace",
        place: &[Workspace, Directory],
        flags: &[
            ("-chdir", Directory),
            ("--working-dir", Directory),
            ("--terragrunt-working-dir", Directory),
            ("-var-file", VarFile),
            ("-backend-config", VarFile),
        ],
        takes: "-var -target -replace -state -out -lock-timeout -parallelism -plugin-dir --terragrunt-config --queue-include-dir",
        vars: &[
            ("TF_WORKSPACE", Workspace),
            ("TF_VAR_environment", Stage),
            ("TF_VAR_env", Stage),
            ("AWS_PROFILE", AwsProfile),
            ("AWS_REGION", AwsRegion),
            ("GOOGLE_PROJECT", GcloudProject),
            ("ARM_SUBSCRIPTION_ID", AzureSubscription),
            ("KUBECONFIG", Kubeconfig),
        ],
        changes: "apply, destroy, import, taint, untaint, refresh, force-unlock, state rm, state mv, state push, \
                  state replace-provider, workspace delete, run-all, run --all, test, apply-all, destroy-all",
        reads: "plan, show, output, state list, state show, state pull, console, workspace list, workspace show, \
                run-all plan, run-all output, run-all validate, plan-all, graph, providers, run plan, run --all plan",
        local: "init, validate, fmt, version, get, login, logout, hclfmt, hcl, workspace, run-all init, metadata",
        moves: &[
            Move { phrase: "workspace select", operand: Some(Workspace), flags: &[] },
            Move { phrase: "workspace new", operand: Some(Workspace), flags: &[] },
            Move { phrase: "env select", operand: Some(Workspace), flags: &[] },
        ],
        dry: &[],
        ..PLAIN
    },
    Tool {
        names: &["pulumi"],
        place_word: "stack",
        place: &[Stack],
        flags: &[("--stack", Stack), ("-s", Stack), ("--cwd", Directory), ("-C", Directory)],
        takes: "-m --message -c --config --config-file -t --target -p --parallel",
        vars: &[("PULUMI_STACK", Stack), ("AWS_PROFILE", AwsProfile), ("AWS_REGION", AwsRegion)],
        changes: "up, update, destroy, down, refresh, import, cancel, config set, config rm, stack rm, state, stack import",
        reads: "preview, pre, stack ls, stack output, stack export, stack history, history, logs, config get, config, \
                stack graph, about, whoami, console",
        local: "new, login, logout, plugin, version, install, convert, gen-completion",
        moves: &[
            Move { phrase: "stack select", operand: Some(Stack), flags: &[] },
            Move { phrase: "stack init", operand: Some(Stack), flags: &[] },
        ],
        dry: &[],
        ..PLAIN
    },
    Tool {
        names: &["cdk", "cdktf"],
        place_word: "stack",
        place: &[Stack, AwsProfile],
        within: &[AwsRegion],
        flags: &[("--profile", AwsProfile), ("--region", AwsRegion)],
        takes: "-c --context -a --app --parameters --role-arn -r --require-approval -o --output --tags --toolkit-stack-name",
        vars: AWS_VARS,
        changes: "deploy, destroy, bootstrap, import, rollback, watch",
        reads: "diff, list, ls, drift, metadata",
        local: "synth, synthesize, init, doctor, docs, context, acknowledge, get, provider",
        operands: &[("deploy", Stack), ("destroy", Stack), ("diff", Stack), ("rollback", Stack), ("watch", Stack)],
        ..PLAIN
    },
    Tool {
        names: &["serverless", "sls", "sst", "amplify", "chalice", "zappa"],
        place_word: "stage",
        place: &[Stage, AwsProfile],
        within: &[AwsRegion],
        flags: &[
            ("--stage", Stage),
            ("-s", Stage),
            ("--env", Stage),
            ("--aws-profile", AwsProfile),
            ("--profile", AwsProfile),
            ("--region", AwsRegion),
            ("-r", AwsRegion),
        ],
        takes: "-f --function -c --config --param -p --package -d --data",
        vars: AWS_VARS,
        changes: "deploy, remove, rollback, invoke, push, delete, publish, undeploy, update, dev, deploy function",
        reads: "info, logs, metrics, diff, status, tail, deploy list",
        local: "package, print, plugin, create, login, invoke local, offline, version, install",
        ..PLAIN
    },
    Tool {
        names: &["aws"],
        place_word: "account",
        place: &[AwsProfile, AwsAccount],
        within: &[AwsRegion],
        flags: &[
            ("--profile", AwsProfile),
            ("--region", AwsRegion),
            ("--cluster", EcsCluster),
            ("--cluster-name", KubeCluster),
            ("--stack-name", Stack),
            ("--account-id", AwsAccount),
        ],
        takes: "--output --query --endpoint-url --ca-bundle --color --cli-read-timeout --cli-connect-timeout --service \
                --task-definition --desired-count --name --alias --role-arn --kubeconfig --function-name --filters \
                --cli-input-json --cli-input-yaml --image-uri --distribution-id --paths --parameters --capabilities",
        vars: AWS_VARS,
        changes: "s3 cp, s3 mv, s3 rm, s3 sync, s3 mb, s3 rb, s3 website",
        reads: "s3 ls, s3 presign, logs tail, sts *, * describe-*, * list-*, * get-*, * batch-get-*, * head-*, * search-*, \
                * lookup-*, * wait, dynamodb scan, dynamodb query, * filter-*, * validate-*, * estimate-*, * simulate-*, \
                * batch-describe-*, * start-query, * test-*, history *",
        local: "configure, sso, help, --version, configservice help",
        moves: &[Move {
            phrase: "eks update-kubeconfig",
            operand: None,
            flags: &[("--name", KubeCluster), ("--alias", KubeContext)],
        }],
        dry: &["--dry-run", "--dryrun", "--no-execute-changeset"],
        depth: 1,
        otherwise: Effect::Changes,
        look: Some(arns),
        ..PLAIN
    },
    Tool {
        names: &["sam", "copilot", "eb", "ecs-cli", "ecspresso"],
        place_word: "account",
        place: &[AwsProfile, Stage, Stack],
        within: &[AwsRegion],
        flags: &[
            ("--profile", AwsProfile),
            ("--aws-profile", AwsProfile),
            ("--region", AwsRegion),
            ("--stack-name", Stack),
            ("--config-env", Stage),
            ("--env", Stage),
            ("-e", Stage),
        ],
        vars: AWS_VARS,
        changes: "deploy, delete, sync, up, terminate, upgrade, rollback, swap, scale, compose up, svc deploy, job deploy, \
                  env deploy, pipeline deploy, svc delete, setenv, restart, rebuild, abort",
        reads: "logs, list, status, health, events, svc status, svc logs, svc show, env show, app show, printenv, diff, verify",
        local: "build, validate, local, init, package, publish, config, render",
        ..PLAIN
    },
    Tool {
        names: &["gcloud", "gsutil", "bq"],
        place_word: "project",
        place: &[GcloudProject, GcloudConfig, GcloudAccount],
        within: &[GcloudRegion],
        flags: &[
            ("--project", GcloudProject),
            ("--project_id", GcloudProject),
            ("--configuration", GcloudConfig),
            ("--account", GcloudAccount),
            ("--region", GcloudRegion),
            ("--zone", GcloudRegion),
            ("--location", GcloudRegion),
            ("--cluster", KubeCluster),
        ],
        takes: "--format --filter --image --verbosity --service-account --tag --source --memory --cpu --set-env-vars \
                --update-env-vars --impersonate-service-account --limit --runtime --entry-point --to-revisions",
        vars: &[
            ("CLOUDSDK_ACTIVE_CONFIG_NAME", GcloudConfig),
            ("CLOUDSDK_CORE_PROJECT", GcloudProject),
            ("CLOUDSDK_CORE_ACCOUNT", GcloudAccount),
            ("CLOUDSDK_COMPUTE_REGION", GcloudRegion),
            ("CLOUDSDK_COMPUTE_ZONE", GcloudRegion),
        ],
        changes: "create, delete, update, deploy, apply, set-*, add-*, remove-*, import, restart, reset, start, stop, resize, \
                  rolling-action, promote, rollback, submit, ssh, scp, call, execute, patch, migrate, enable, disable, \
                  replace, update-traffic, cp, mv, rm, rsync, mb, rb, query, mk, load, failover, upgrade, undelete, \
                  compute ssh, publish, insert, clone, drain, attach-*, detach-*",
        reads: "list, describe, get-*, read, tail, list-*, config get-value, config get, config list, auth list, info, ls, \
                cat, stat, du, head, show, deploy releases list, deploy releases describe, deploy rollouts list, \
                deploy targets list, logging read, operations list, operations wait",
        local: "auth, components, config, init, version, help, topic",
        moves: &[
            Move { phrase: "config set project", operand: Some(GcloudProject), flags: &[] },
            Move { phrase: "config set core/project", operand: Some(GcloudProject), flags: &[] },
            Move { phrase: "config set account", operand: Some(GcloudAccount), flags: &[] },
            Move { phrase: "config set compute/region", operand: Some(GcloudRegion), flags: &[] },
            Move { phrase: "config set compute/zone", operand: Some(GcloudRegion), flags: &[] },
            Move { phrase: "config configurations activate", operand: Some(GcloudConfig), flags: &[] },
            Move { phrase: "container clusters get-credentials", operand: Some(KubeCluster), flags: &[] },
        ],
        ..PLAIN
    },
    Tool {
        names: &["az", "azd", "func"],
        place_word: "subscription",
        place: &[AzureSubscription],
        within: &[AzureGroup],
        flags: &[
            ("--subscription", AzureSubscription),
            ("--resource-group", AzureGroup),
            ("-g", AzureGroup),
            ("--environment", Stage),
            ("-e", Stage),
        ],
        takes: "-n --name --slot --target-slot -f --template-file --src --src-path -o --output --query --image -l --location \
                --parameters -p --command-id --scripts --settings",
        vars: &[("AZURE_SUBSCRIPTION_ID", AzureSubscription), ("AZURE_ENV_NAME", Stage)],
        changes: "create, delete, update, set, start, stop, restart, up, deploy, swap, scale, upgrade, invoke, apply, add, \
                  remove, purge, import, upload, redeploy, provision, down, publish, run-command, failover, regenerate-*, \
                  set-*, azure functionapp publish, copy",
        reads: "list, show, list-*, show-*, get-*, wait, logs, log, account list, what-if, deployment group what-if, monitor, \
                download, tail, query",
        local: "login, logout, config, version, extension, configure, find, bicep, interactive, init, auth, env",
        moves: &[
            Move {
                phrase: "account set",
                operand: None,
                flags: &[("-s", AzureSubscription), ("-n", AzureSubscription), ("--name", AzureSubscription)],
            },
            Move {
                phrase: "aks get-credentials",
                operand: None,
                flags: &[("-n", KubeCluster), ("--name", KubeCluster), ("--context", KubeContext)],
            },
            Move { phrase: "env select", operand: Some(Stage), flags: &[] },
        ],
        dry: &["--what-if", "--preview"],
        ..PLAIN
    },
];

/// Accounts and regions that stand in resource names: `arn:aws:ecs:us-east-1:123456789012:service/x`.
fn arns(args: &Args, look: &mut Look) {
    for word in args.words.iter().filter_map(known) {
        let Some(at) = word.find("arn:aws") else { continue };
        let mut fields = word[at..].split(':').skip(3);
        let (region, account) = (fields.next().unwrap_or(""), fields.next().unwrap_or(""));
        if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
            look.named.push((AwsAccount, Value::Known(account.to_owned())));
        }
        if !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            look.named.push((AwsRegion, Value::Known(region.to_owned())));
        }
    }
}
