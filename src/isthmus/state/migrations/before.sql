-- What the runner of the state makes before its first migration; only rehearsals read this.
CREATE SCHEMA isthmus;
