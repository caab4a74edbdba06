//! Kubernetes and what stands on it.

use super::{Axis::*, Effect, Move, PLAIN, Tool};

const KUBE_VARS: &[(&str, super::Axis)] = &[("KUBECONFIG", Kubeconfig)];
const KUBE_PLACE: &[super::Axis] = &[KubeContext, KubeCluster, Kubeconfig, KubeServer];

/// What tools that take kubectl's options share.
const KUBE: Tool = Tool {
    place_word: "cluster",
    place: KUBE_PLACE,
    within: &[KubeNamespace],
    flags: &[
        ("--context", KubeContext),
        ("--cluster", KubeCluster),
        ("--kubeconfig", Kubeconfig),
        ("-s", KubeServer),
        ("--server", KubeServer),
        ("--namespace", KubeNamespace),
        ("-n", KubeNamespace),
        ("-k", Directory),
        ("--kustomize", Directory),
    ],
    takes: "-f --filename -l --selector -o --output -c --container -p --patch --patch-file --type --image --replicas \
            --timeout --for --field-selector --user --as --as-group --token --from-file --from-literal --from-env-file \
            --grace-period --sort-by --template --v -v --field-manager --since --tail --max --min --port --cascade --env \
            --overrides --request-timeout --to-revision --certificate-authority --address --cpu-percent --limits --requests",
    vars: KUBE_VARS,
    ..PLAIN
};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        names: &["kubectl", "k", "oc", "kubecolor", "microk8s.kubectl"],
        changes: "apply, create, delete, replace, patch, edit, set, scale, autoscale, rollout, label, annotate, expose, \
                  run, exec, cp, drain, cordon, uncordon, taint, attach, debug, certificate, argo rollouts, new-app, \
                  start-build, adm, auth reconcile, rsh, cnpg, evict",
        reads: "get, describe, logs, top, explain, diff, events, version, cluster-info, api-resources, api-versions, \
                auth can-i, auth whoami, rollout status, rollout history, config view, config current-context, \
                config get-contexts, config get-clusters, wait, port-forward, proxy, argo rollouts get, status, whoami, \
                argo rollouts status, argo rollouts list, argo rollouts version, apply view-last-applied",
        local: "kustomize, completion, plugin, options, config",
        moves: &[
            Move { phrase: "config use-context", operand: Some(KubeContext), flags: &[] },
            Move { phrase: "config use", operand: Some(KubeContext), flags: &[] },
            Move { phrase: "config set current-context", operand: Some(KubeContext), flags: &[] },
            Move { phrase: "config set-context", operand: None, flags: &[] },
            Move { phrase: "ctx", operand: Some(KubeContext), flags: &[] },
            Move { phrase: "ns", operand: Some(KubeNamespace), flags: &[] },
            Move { phrase: "project", operand: Some(KubeNamespace), flags: &[] },
            Move { phrase: "login", operand: Some(KubeServer), flags: &[] },
        ],
        ..KUBE
    },
    Tool {
        names: &["kubectx"],
        place: KUBE_PLACE,
        place_word: "cluster",
        moves: &[Move { phrase: "", operand: Some(KubeContext), flags: &[] }],
        otherwise: Effect::Moves,
        ..PLAIN
    },
    Tool {
        names: &["kubens"],
        place: &[KubeNamespace],
        place_word: "namespace",
        moves: &[Move { phrase: "", operand: Some(KubeNamespace), flags: &[] }],
        otherwise: Effect::Moves,
        ..PLAIN
    },
    Tool {
        names: &["helm", "helm3"],
        flags: &[
            ("--kube-context", KubeContext),
            ("--kubeconfig", Kubeconfig),
            ("--kube-apiserver", KubeServer),
            ("--namespace", KubeNamespace),
            ("-n", KubeNamespace),
            ("-f", VarFile),
            ("--values", VarFile),
        ],
        takes: "--set --set-string --set-file --set-json --version --timeout --repo --username --password -o --output \
                --description --history-max --post-renderer --revision --max --kube-token --ca-file --cert-file",
        vars: &[("HELM_KUBECONTEXT", KubeContext), ("KUBECONFIG", Kubeconfig), ("HELM_NAMESPACE", KubeNamespace)],
        changes: "install, upgrade, uninstall, delete, del, un, rollback, test",
        reads: "list, ls, get, status, history, hist, diff, secrets view",
        local: "template, lint, show, inspect, search, version, env, verify, repo, dependency, dep, package, pull, fetch, \
                push, plugin, create, registry, completion, secrets",
        ..KUBE
    },
    Tool {
        names: &["helmfile"],
        place: &[KubeContext, Kubeconfig, Stage],
        flags: &[
            ("--kube-context", KubeContext),
            ("--kubeconfig", Kubeconfig),
            ("-e", Stage),
            ("--environment", Stage),
            ("--namespace", KubeNamespace),
            ("-n", KubeNamespace),
        ],
        takes: "-f --file -l --selector --set --values --args --state-values-set --state-values-file --log-level",
        vars: &[("HELMFILE_ENVIRONMENT", Stage), ("KUBECONFIG", Kubeconfig)],
        changes: "apply, sync, destroy, delete, test",
        reads: "diff, status, list",
        local: "template, lint, deps, repos, fetch, build, version, cache",
        ..KUBE
    },
    Tool {
        names: &["flux"],
        changes: "bootstrap, create, delete, reconcile, resume, suspend, install, uninstall",
        reads: "get, logs, diff, events, stats, trace, tree, version, check, export, debug",
        local: "build, push, pull, completion, list, tag, envsubst",
        ..KUBE
    },
    Tool {
        names: &[
            "istioctl", "linkerd", "cilium", "velero", "stern", "kubent", "kapp", "werf", "skaffold", "tilt", "k9s",
        ],
        flags: &[
            ("--context", KubeContext),
            ("--kube-context", KubeContext),
            ("--kubecontext", KubeContext),
            ("--kubeconfig-context", KubeContext),
            ("--kubeconfig", Kubeconfig),
            ("--namespace", KubeNamespace),
            ("-n", KubeNamespace),
            ("--env", Stage),
        ],
        changes: "install, upgrade, uninstall, apply, deploy, delete, run, up, down, dev, converge, dismiss, create, \
                  backup create, restore create, inject",
        reads: "analyze, version, proxy-status, ps, pc, proxy-config, check, stat, top, tap, viz, status, get, describe, \
                logs, inspect, list, diff, backup get, backup describe, backup logs, restore get, ls",
        local: "build, render, lint, completion, help",
        ..KUBE
    },
    Tool {
        names: &["kustomize", "kubeval", "kubeconform", "kubeseal", "jsonnet", "ytt", "cue", "kompose", "conftest"],
        otherwise: Effect::Local,
        ..PLAIN
    },
    Tool {
        names: &["eksctl"],
        place_word: "cluster",
        place: &[KubeCluster, AwsProfile],
        within: &[AwsRegion],
        flags: &[
            ("--cluster", KubeCluster),
            ("--name", KubeCluster),
            ("--profile", AwsProfile),
            ("-p", AwsProfile),
            ("--region", AwsRegion),
            ("-r", AwsRegion),
        ],
        takes: "-f --config-file --nodes -N --version --timeout",
        vars: &[("AWS_PROFILE", AwsProfile), ("AWS_REGION", AwsRegion), ("AWS_DEFAULT_REGION", AwsRegion)],
        changes: "create, delete, upgrade, update, scale, drain, set, unset, enable, associate, disassociate, register",
        reads: "get, info, version",
        moves: &[Move { phrase: "utils write-kubeconfig", operand: None, flags: &[] }],
        ..PLAIN
    },
];
