//! What waits for production when the sample starts: versions that are tagged, and for the most part ran in staging.

/// A version that somebody may plan today. Days are working days before the start.
#[derive(Debug)]
pub struct Coming {
    pub service: &'static str,
    pub prefix: &'static str,
    pub version: &'static str,
    /// When it reached staging: days before, hour, minute. None: it did not.
    pub staging: Option<(u32, u32, u32)>,
    /// Oldest first; the last one bears the tag.
    pub commits: &'static [Step],
}

#[derive(Debug)]
pub struct Step {
    pub by: &'static str,
    /// Days before, hour.
    pub at: (u32, u32),
    pub title: &'static str,
    /// What follows the title, trailers included.
    pub body: &'static str,
    pub edits: &'static [Edit],
}

#[derive(Debug)]
pub enum Edit {
    /// So many lines in the manner of the file.
    Grow(&'static str, u32),
    /// These words at its end; a file that is not there begins with them.
    Add(&'static str, &'static str),
}

use Edit::{Add, Grow};

const CLAUDE: &str = "Co-authored-by: Claude <noreply@anthropic.com>";

pub const COMING: &[Coming] = &[
    Coming {
        service: "checkout",
        prefix: "checkout/",
        version: "v2.13.3",
        staging: Some((3, 15, 0)),
        commits: &[Step {
            by: "ada",
            at: (4, 11),
            title: "Say in the README how captures are retried",
            body: "",
            edits: &[Add("checkout/README.md", "\nA capture that times out is tried again once, with the same key.\n")],
        }],
    },
    Coming {
        service: "checkout",
        prefix: "checkout/",
        version: "v2.14.0",
        staging: Some((1, 15, 30)),
        commits: &[
            Step {
                by: "ada",
                at: (3, 16),
                title: "Capture amounts of any currency in minor units",
                body: "Rupiah carts of more than 2,147,483,647 failed.\n\nTicket: PAY-481",
                edits: &[Grow("payments/capture.rs", 64), Grow("payments/gateway.rs", 22)],
            },
            Step {
                by: "max",
                at: (2, 10),
                title: "Add orders.captured_at",
                body: "Ticket: PAY-481",
                edits: &[Add("migrations/0047_orders_captured_at.sql", MIGRATION_47)],
            },
            Step {
                by: "ada",
                at: (2, 15),
                title: "Widen orders.amount_cents and drop legacy_capture_id",
                body: "Ticket: PAY-481",
                edits: &[Add("migrations/0048_orders_amount_bigint.sql", MIGRATION_48)],
            },
            Step {
                by: "ada",
                at: (1, 10),
                title: "Retry a capture with the key of the first try",
                body: concat!("Ticket: PAY-481\n", "Co-authored-by: Claude <noreply@anthropic.com>"),
                edits: &[Add("payments/capture.rs", RETRY), Grow("payments/retry.rs", 31)],
            },
        ],
    },
    Coming {
        service: "ledger",
        prefix: "ledger/",
        version: "v1.8.0",
        staging: Some((1, 11, 0)),
        commits: &[Step {
            by: "deploybot",
            at: (3, 6),
            title: "Upgrade sqlx and tokio",
            body: "sqlx 0.8.6 to 0.9.0, tokio 1.47 to 1.52.",
            edits: &[Grow("ledger/Cargo.lock", 180), Grow("ledger/Cargo.toml", 2)],
        }],
    },
    Coming {
        service: "search",
        prefix: "search/",
        version: "v3.2.0",
        staging: None,
        commits: &[Step {
            by: "max",
            at: (1, 13),
            title: "Rank by what is in stock",
            body: "Co-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>",
            edits: &[
                Grow("search/ranking.rs", 48),
                Grow("search/features.rs", 17),
                Grow("search/tests/ranking.rs", 35),
            ],
        }],
    },
    Coming {
        service: "storefront",
        prefix: "storefront/",
        version: "v5.1.0",
        staging: Some((1, 16, 0)),
        commits: &[
            Step {
                by: "max",
                at: (3, 14),
                title: "Pay with one click",
                body: concat!("Behind the flag express-pay.\n\n", "Co-authored-by: Claude <noreply@anthropic.com>"),
                edits: &[
                    Add("storefront/pages/pay.tsx", ONE_CLICK),
                    Grow("storefront/styles/site.css", 12),
                    Grow("storefront/tests/pages.test.tsx", 28),
                ],
            },
            Step {
                by: "ada",
                at: (2, 12),
                title: "Words for paying with one click",
                body: "",
                edits: &[Grow("storefront/locales/en.ftl", 4), Grow("storefront/locales/de.ftl", 4)],
            },
        ],
    },
    Coming {
        service: "notifications",
        prefix: "notifications/",
        version: "v1.4.3",
        staging: Some((2, 11, 30)),
        commits: &[Step {
            by: "rae",
            at: (3, 17),
            title: "Fix texts that were sent twice",
            body: "Ticket: OPS-212",
            edits: &[Grow("notifications/queue.rs", 9), Grow("notifications/tests/queue.rs", 24)],
        }],
    },
    Coming {
        service: "docs-site",
        prefix: "docs-site/",
        version: "v2.3.7",
        staging: Some((1, 10, 0)),
        commits: &[Step {
            by: "kim",
            at: (2, 8),
            title: "Answer why a card was charged twice",
            body: "",
            edits: &[Grow("docs/help/payments.md", 14)],
        }],
    },
];

/// A branch that is not merged: for plans of a branch, and for what happens when it grows.
pub const BRANCH: (&str, Step) = (
    "capture-queue",
    Step {
        by: "max",
        at: (1, 17),
        title: "Capture through a queue",
        body: CLAUDE,
        edits: &[Grow("payments/queue.rs", 90), Grow("checkout/tests/capture.rs", 40)],
    },
);

/// Ran in production ahead of its version: it only adds a column.
pub const MIGRATION_47: &str =
    "-- PAY-481: when the money was taken.\nALTER TABLE orders ADD COLUMN captured_at timestamptz;\n";

/// Rewrites the largest table under a lock that shuts out readers, and leaves v2.13.2 without a column that it reads.
pub const MIGRATION_48: &str = "-- PAY-481: amounts of any currency in minor units.
ALTER TABLE orders ALTER COLUMN amount_cents TYPE bigint;
UPDATE orders SET captured_at = updated_at WHERE state = 'captured' AND captured_at IS NULL;
ALTER TABLE orders DROP COLUMN legacy_capture_id;
";

const RETRY: &str = r#"
/// Tries a capture again under the key of the first try, so that the gateway takes the money once.
pub async fn capture_again(order: &Order, first: &Attempt, gateway: &Gateway) -> Result<Capture, CaptureError> {
    if !flag_enabled("capture-retries") {
        return Err(CaptureError::TimedOut);
    }
    let request = CaptureRequest { key: first.key.clone(), amount: order.amount_cents, currency: order.currency };
    match gateway.capture(&request).await {
        Ok(capture) => Ok(capture),
        Err(GatewayError::Duplicate { capture }) => Ok(capture),
        Err(error) => Err(CaptureError::Gateway(error)),
    }
}
"#;

const ONE_CLICK: &str = r#"import { isEnabled } from "../api/flags";
import { usePayment } from "../api/payments";

export function PayButton({ cart }) {
  const { pay, pending } = usePayment(cart);
  if (!isEnabled("express-pay")) {
    return <a href="/checkout">Check out</a>;
  }
  return (
    <button className="pay" disabled={pending} onClick={() => pay({ oneClick: true })}>
      {pending ? "One moment" : "Pay now"}
    </button>
  );
}
"#;
