import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('directory', '0001_initial'),
        ('programme', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Proposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('kind', models.CharField(choices=[('change', 'Change'), ('emergency', 'Lowered at once')], default='change', max_length=12)),
                ('title', models.CharField(max_length=200)),
                ('why', models.TextField()),
                ('draft', models.BigIntegerField(blank=True, null=True)),
                ('file', models.TextField()),
                ('sha256', models.CharField(max_length=64)),
                ('report', models.TextField(blank=True)),
                ('report_sha256', models.CharField(blank=True, max_length=64)),
                ('latest', models.PositiveIntegerField()),
                ('secret', models.BooleanField()),
                ('members', models.PositiveIntegerField()),
                ('quorum', models.PositiveIntegerField()),
                ('majority', models.CharField(choices=[('simple', 'More yes than no'), ('absolute', 'More than half of all members'), ('two_thirds', 'Two thirds of those who say yes or no')], max_length=12)),
                ('notice_days', models.PositiveSmallIntegerField()),
                ('opened_at', models.DateTimeField()),
                ('closes_at', models.DateTimeField()),
                ('seal', models.CharField(max_length=64)),
                ('state', models.CharField(choices=[('open', 'Voting'), ('accepted', 'Accepted'), ('refused', 'Refused'), ('withdrawn', 'Withdrawn'), ('lapsed', 'Lapsed'), ('published', 'Published')], default='open', max_length=12)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('yes', models.PositiveIntegerField(default=0)),
                ('no', models.PositiveIntegerField(default=0)),
                ('abstain', models.PositiveIntegerField(default=0)),
                ('salt', models.CharField(blank=True, max_length=64)),
                ('held_back', models.CharField(blank=True, max_length=32)),
                ('base', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='programme.rulebookversion')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='directory.organization')),
                ('proposer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.person')),
                ('version', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='programme.rulebookversion')),
            ],
            options={
                'indexes': [
                    models.Index(fields=['state', 'closes_at'], name='proposal_due'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('organization', 'number'), name='proposal_number_once_per_place'),
                    models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('draft',), name='proposal_once_per_draft'),
                    models.CheckConstraint(condition=models.Q(('closes_at__gt', models.F('opened_at'))), name='proposal_closes_later'),
                    models.CheckConstraint(condition=models.Q(('members__gte', 1), ('quorum__gte', 1)), name='proposal_counts_members'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Elector',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('voted', models.BooleanField(default=False)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.person')),
                ('proposal', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='electors', to='governance.proposal')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('proposal', 'person'), name='elector_once_per_proposal'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Comment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField()),
                ('written_at', models.DateTimeField()),
                ('person', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.person')),
                ('proposal', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to='governance.proposal')),
            ],
        ),
        migrations.CreateModel(
            name='Ballot',
            fields=[
                ('token', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('choice', models.CharField(choices=[('yes', 'For'), ('no', 'Against'), ('abstain', 'Abstain')], max_length=8)),
                ('proposal', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ballots', to='governance.proposal')),
            ],
        ),
        migrations.CreateModel(
            name='Vote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('choice', models.CharField(choices=[('yes', 'For'), ('no', 'Against'), ('abstain', 'Abstain')], max_length=8)),
                ('reason', models.TextField(blank=True)),
                ('cast_at', models.DateTimeField()),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.person')),
                ('proposal', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='votes', to='governance.proposal')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('proposal', 'person'), name='vote_once_per_person'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Appeal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('about', models.CharField(choices=[('award', 'What an event earned'), ('redemption', 'A redemption'), ('special', 'Special points'), ('other', 'Another entry')], max_length=12)),
                ('entry_key', models.CharField(blank=True, max_length=255)),
                ('told', models.JSONField(default=dict)),
                ('parties', models.JSONField(default=list)),
                ('text', models.TextField()),
                ('filed_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('open', 'Open'), ('upheld', 'Upheld'), ('refused', 'Refused'), ('withdrawn', 'Withdrawn')], default='open', max_length=12)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('answer', models.TextField(blank=True)),
                ('points', models.BigIntegerField(default=0)),
                ('assigned', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.person')),
                ('award', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='appeals', to='programme.award')),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appeals', to='directory.organization')),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.person')),
                ('decided_by_login', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appeals', to='directory.person')),
            ],
            options={
                'indexes': [models.Index(fields=['company', 'state', 'due_at'], name='appeal_due')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('award__isnull', False), ('state', 'open')), fields=('award',), name='appeal_open_once_per_award'), models.UniqueConstraint(condition=models.Q(('state', 'open'), models.Q(('entry_key', ''), _negated=True)), fields=('company', 'entry_key'), name='appeal_open_once_per_entry'), models.CheckConstraint(condition=models.Q(models.Q(('award__isnull', False), ('entry_key', '')), models.Q(('award__isnull', True), models.Q(('entry_key', ''), _negated=True)), _connector='OR'), name='appeal_is_about_one_line'), models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('person')), _negated=True), _connector='OR'), name='appeal_not_decided_by_its_own'), models.CheckConstraint(condition=models.Q(('points', 0), models.Q(('points__gt', 0), ('state', 'upheld')), _connector='OR'), name='appeal_gives_only_when_upheld')],
            },
        ),
        migrations.CreateModel(
            name='Committee',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quorum_percent', models.PositiveSmallIntegerField(default=50)),
                ('majority', models.CharField(choices=[('simple', 'More yes than no'), ('absolute', 'More than half of all members'), ('two_thirds', 'Two thirds of those who say yes or no')], default='simple', max_length=12)),
                ('secret', models.BooleanField(default=False)),
                ('voting_days', models.PositiveSmallIntegerField(default=7)),
                ('notice_days', models.PositiveSmallIntegerField(default=3)),
                ('appeal_days', models.PositiveSmallIntegerField(default=7)),
                ('changed_at', models.DateTimeField()),
                ('organization', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='committee', to='directory.organization')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('quorum_percent__gte', 1), ('quorum_percent__lte', 100)), name='committee_quorum'), models.CheckConstraint(condition=models.Q(('appeal_days__gte', 1), ('voting_days__gte', 1)), name='committee_has_time')],
            },
        ),
    ]
