//! What Harbor's developers work on: kinds of change by service, with the files that they touch.

/// A kind of change.
#[derive(Debug)]
pub struct Theme {
    pub name: &'static str,
    pub category: Option<&'static str>,
    /// The first is always touched; of the others, some.
    pub files: &'static [&'static str],
    pub titles: &'static [&'static str],
    /// How often it comes up, beside the service's other themes.
    pub weight: usize,
    pub dependencies: bool,
}

/// A service as its history needs it.
#[derive(Debug)]
pub struct Trade {
    pub service: &'static str,
    /// What stands before versions in tags.
    pub prefix: &'static str,
    /// Releases in ten weeks.
    pub per_ten_weeks: u32,
    /// What runs in production when the sample starts.
    pub running: (u32, u32, u32),
    pub themes: &'static [Theme],
}

const fn theme(
    name: &'static str,
    category: Option<&'static str>,
    weight: usize,
    files: &'static [&'static str],
    titles: &'static [&'static str],
) -> Theme {
    Theme { name, category, files, titles, weight, dependencies: false }
}

const fn dependencies(weight: usize, files: &'static [&'static str], titles: &'static [&'static str]) -> Theme {
    Theme { name: "dependencies", category: Some("dependencies"), files, titles, weight, dependencies: true }
}

/// The theme in which checkout's trouble lies.
pub const CAPTURE: &str = "capture";

/// Every service, the one with the most to tell first.
pub const TRADES: &[Trade] = &[
    Trade {
        service: "checkout",
        prefix: "checkout/",
        per_ten_weeks: 20,
        running: (2, 13, 2),
        themes: &[
            theme(
                CAPTURE,
                Some("payments"),
                14,
                &["payments/capture.rs", "payments/mod.rs", "payments/gateway.rs", "checkout/tests/capture.rs"],
                &[
                    "Retry a capture that timed out",
                    "Capture partial shipments",
                    "Log the gateway's answer to a capture",
                ],
            ),
            theme(
                "refund",
                Some("payments"),
                10,
                &["payments/refund.rs", "payments/mod.rs", "checkout/tests/refund.rs"],
                &["Refund to the card that paid", "Round refunds like charges", "Show pending refunds"],
            ),
            theme(
                "cart",
                None,
                26,
                &["checkout/cart.rs", "checkout/price.rs", "checkout/tests/cart.rs"],
                &["Keep carts for thirty days", "Merge carts at sign-in", "Recount a cart when a price changes"],
            ),
            theme(
                "tax",
                None,
                14,
                &["checkout/tax.rs", "checkout/price.rs", "checkout/tests/tax.rs"],
                &["Tax rates of the new quarter", "Round tax per line", "Show tax before the last step"],
            ),
            theme(
                "coupon",
                None,
                18,
                &["checkout/coupon.rs", "checkout/cart.rs", "checkout/tests/coupon.rs"],
                &["Coupons for first orders", "Refuse expired coupons kindly", "Stack two coupons at most"],
            ),
            theme(
                "receipt",
                Some("copy"),
                8,
                &["checkout/emails/receipt.html", "checkout/emails/receipt.txt"],
                &["Name the shop on receipts", "Receipts in plain words"],
            ),
            dependencies(
                10,
                &["checkout/Cargo.lock", "checkout/Cargo.toml"],
                &["Upgrade axum and its kin", "Upgrade rustls"],
            ),
        ],
    },
    Trade {
        service: "ledger",
        prefix: "ledger/",
        per_ten_weeks: 10,
        running: (1, 7, 4),
        themes: &[
            theme(
                "posting",
                Some("payments"),
                30,
                &["ledger/posting.rs", "ledger/account.rs", "ledger/tests/posting.rs"],
                &["Post fees apart from charges", "Refuse unbalanced postings", "Number postings without gaps"],
            ),
            theme(
                "settlement",
                Some("payments"),
                26,
                &["ledger/settlement.rs", "ledger/calendar.rs", "ledger/tests/settlement.rs"],
                &["Settle weekends on Monday", "Split settlement by currency", "Retry a bank's answer"],
            ),
            theme(
                "report",
                Some("regulatory"),
                20,
                &["ledger/reporting/regulatory/monthly.rs", "ledger/reporting/mod.rs"],
                &["Monthly report for the regulator", "Add the audit trail's numbers to the report"],
            ),
        ],
    },
    Trade {
        service: "search",
        prefix: "search/",
        per_ten_weeks: 15,
        running: (3, 1, 5),
        themes: &[
            theme(
                "ranking",
                None,
                40,
                &["search/ranking.rs", "search/features.rs", "search/tests/ranking.rs"],
                &["Rank by what is in stock", "Weigh recent sales more", "Rank brands that were searched before"],
            ),
            theme(
                "index",
                None,
                30,
                &["search/index/writer.rs", "search/index/mod.rs", "search/tests/index.rs"],
                &[
                    "Write the index in smaller parts",
                    "Index titles in two languages",
                    "Keep the old index until the new is warm",
                ],
            ),
            theme(
                "suggest",
                None,
                20,
                &["search/suggest/mod.rs", "search/suggest/words.txt"],
                &["Suggest after two letters", "Leave out rude suggestions"],
            ),
            dependencies(12, &["search/Cargo.lock", "search/Cargo.toml"], &["Upgrade tantivy", "Upgrade tokio"]),
        ],
    },
    Trade {
        service: "storefront",
        prefix: "storefront/",
        per_ten_weeks: 20,
        running: (5, 0, 3),
        themes: &[
            theme(
                "pages",
                None,
                40,
                &["storefront/pages/home.tsx", "storefront/pages/product.tsx", "storefront/tests/pages.test.tsx"],
                &["Larger pictures of products", "Show what is in stock nearby", "Load the home page in one go"],
            ),
            theme(
                "orders",
                None,
                24,
                &["storefront/pages/orders.tsx", "storefront/api/orders.ts", "storefront/tests/orders.test.tsx"],
                &["Show where a parcel is", "Order again by one click"],
            ),
            theme(
                "styles",
                Some("copy"),
                20,
                &["storefront/styles/site.css", "storefront/locales/en.ftl", "storefront/locales/de.ftl"],
                &["More contrast in the dark", "Wording of the basket", "German words for returns"],
            ),
            dependencies(
                16,
                &["storefront/package-lock.json", "storefront/package.json"],
                &["Upgrade react", "Upgrade the bundler"],
            ),
        ],
    },
    Trade {
        service: "notifications",
        prefix: "notifications/",
        per_ten_weeks: 8,
        running: (1, 4, 2),
        themes: &[
            theme(
                "templates",
                Some("copy"),
                40,
                &["notifications/templates/parcel.html", "notifications/templates/receipt.html"],
                &["Parcel news with a map", "Shorter subjects"],
            ),
            theme(
                "sending",
                None,
                40,
                &["notifications/queue.rs", "notifications/sms.rs", "notifications/tests/queue.rs"],
                &["Send texts through two carriers", "Send each event once", "Slow down when a carrier asks"],
            ),
        ],
    },
    Trade {
        service: "docs-site",
        prefix: "docs-site/",
        per_ten_weeks: 8,
        running: (2, 3, 6),
        themes: &[theme(
            "pages",
            Some("docs"),
            10,
            &["docs/help/payments.md", "docs/help/orders.md", "docs/api/reference.md"],
            &["How refunds work", "Describe the orders API", "Answer what support is asked most"],
        )],
    },
];

/// ledger's dependencies, which are planned by hand: two of five upgrades had to be taken back.
pub const LEDGER_UPGRADE: Theme = dependencies(
    0,
    &["ledger/Cargo.lock", "ledger/Cargo.toml"],
    &["Upgrade sqlx and tokio", "Upgrade the decimal library"],
);
