<?php
use SevenShores\Hubspot\Factory;

$hubspot = Factory::create($_ENV['HAPIKEY']);
$newer = \HubSpot\Factory::createWithApiKey('00000000-fa4e-4000-8000-000000000007');
$fine = \HubSpot\Factory::createWithAccessToken(getenv('HUBSPOT_ACCESS_TOKEN'));
