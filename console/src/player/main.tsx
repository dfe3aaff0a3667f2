import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { parseRoute } from '../media/address';
import { ListPage } from './ListPage';
import { WatchPage } from './WatchPage';
import './styles.css';

const route = parseRoute(location.pathname, location.search);
const root = document.getElementById('root');
if (root !== null)
  createRoot(root).render(
    <StrictMode>{route.kind === 'list' ? <ListPage /> : <WatchPage wanted={route.wanted} choice={route.choice} params={route.params} />}</StrictMode>,
  );
