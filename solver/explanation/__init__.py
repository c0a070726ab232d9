"""Why a panel is as it is: what each question changes, what that costs, and how sure we are of it."""
