-- Two extraction runs of the kind that the lead mover was made for, in the first column of a funnel.

insert into public.funnels (id, name)
values
  ('f0000000-0000-4000-8000-000000000001', 'Prospecção'),
  ('f0000000-0000-4000-8000-000000000002', 'Vendas');

insert into public.columns (id, funnel_id, name, position)
values
  ('c0000000-0000-4000-8000-000000000001', 'f0000000-0000-4000-8000-000000000001', 'Novos', 1),
  ('c0000000-0000-4000-8000-000000000002', 'f0000000-0000-4000-8000-000000000002', 'Primeiro contato', 1);

insert into public.runs (id, name)
values
  ('a0000000-0000-4000-8000-000000000001', 'Restaurantes - 10/12/2025 09:07'),
  ('a0000000-0000-4000-8000-000000000002', 'Padarias - 10/12/2025 09:31');

insert into public.leads (run_id, funnel_id, column_id, name, phone)
select
  run.id,
  'f0000000-0000-4000-8000-000000000001',
  'c0000000-0000-4000-8000-000000000001',
  format('Lead %s', n),
  format('+55 11 9%s-%s', lpad((n * 37 % 10000)::text, 4, '0'), lpad((n * 91 % 10000)::text, 4, '0'))
from (
  values
    ('a0000000-0000-4000-8000-000000000001'::uuid, 478),
    ('a0000000-0000-4000-8000-000000000002'::uuid, 514)
) as run (id, leads)
cross join lateral generate_series(1, run.leads) as n;
