-- Which process has taken the plan of an apply? Nobody else gets it, so that no plan is applied by two of them.

alter table apply add column taken_by uuid;
