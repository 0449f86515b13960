//! Roles in a sentence.

use wire::api::Role;

/// What somebody with the role may do.
pub(crate) fn meaning(role: Role) -> &'static str {
    match role {
        Role::Owner => "May do everything, also make and unmake owners.",
        Role::Admin => "May do everything but touch owners.",
        Role::NetworkAdmin => "Manages the access policy, routes, auth keys and machines.",
        Role::ItAdmin => "Manages users, auth keys and machines.",
        Role::BillingAdmin => "Sees the users, and nothing of the network.",
        Role::Auditor => "Sees everything and changes nothing.",
        Role::Member => "Joins and sees his own machines.",
    }
}

#[cfg(test)]
mod tests {
    use wire::api::Action;

    use super::*;

    #[test]
    fn the_sentences_agree_with_the_table_of_rights() {
        for role in Role::ALL {
            let says = |word: &str| meaning(role).contains(word);
            let all = says("everything") && !says("nothing");
            assert_eq!(
                role.may(Action::ManagePolicy),
                all || says("Manages the access policy")
            );
            assert_eq!(role.may(Action::ManageUsers), all || says("Manages users"));
            assert_eq!(
                role.may(Action::ManageNodes),
                all || says("machines") && says("Manages")
            );
        }
    }
}
