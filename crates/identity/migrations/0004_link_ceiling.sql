-- What whoever issued a link could give, as JSON; NULL: everything.
ALTER TABLE enrolment ADD COLUMN ceiling TEXT;
